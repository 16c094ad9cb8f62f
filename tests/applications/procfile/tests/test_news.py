from intranet.backend import database
from intranet.backend.boot import site


def test_news_are_shown(monkeypatch):
    monkeypatch.setattr(database, "query", lambda statement: [("Summer party",)])
    assert site.test_client().get("/news").text == "Summer party"


def test_news_are_published(monkeypatch):
    published = []
    monkeypatch.setattr(database, "query", lambda statement, *values: published.extend(values))
    site.test_client().post("/news", data={"text": "Fire drill"})
    assert published == ["Fire drill"]
