import app


def test_visitors_are_greeted(monkeypatch):
    monkeypatch.setattr(app, "query", lambda statement: [("Ada",), ("Alan",)])
    assert app.app.test_client().get("/").text == "Hello, Ada!\nHello, Alan!"


def test_visitor_is_kept(monkeypatch):
    kept = []
    monkeypatch.setattr(app, "query", lambda statement, *values: kept.extend(values))
    assert app.app.test_client().post("/", data={"text": "Grace"}).status_code == 302
    assert kept == ["Grace"]
