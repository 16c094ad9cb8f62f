import json

import pytest
from conftest import MakeApp, fail, views
from flask import Flask, abort
from flask.testing import FlaskClient

NAMES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


@views.get("/abort/<int:code>")
def stop(code: int) -> str:
    abort(code)


@views.get("/describe")
def describe() -> str:
    abort(400, "<script>alert(1)</script>")


@pytest.fixture
def app(app: Flask) -> Flask:
    app.testing = False
    app.add_url_rule("/api/tests/break/<message>", view_func=fail)
    return app


@pytest.mark.parametrize("code", NAMES)
def test_page(client: FlaskClient, code: int) -> None:
    response = client.get(f"/tests/abort/{code}")
    assert (response.status_code, response.mimetype) == (code, "text/html")
    assert f"<h1>{NAMES[code]}</h1>" in response.text
    assert response.headers["X-Request-ID"] in response.text


@pytest.mark.parametrize("code", NAMES)
def test_json(client: FlaskClient, code: int) -> None:
    response = client.get(f"/tests/abort/{code}", headers={"Accept": "application/json"})
    assert (response.status_code, response.mimetype) == (code, "application/json")
    answer = json.loads(response.data)
    assert answer.pop("description")
    assert answer == {
        "code": code,
        "name": NAMES[code],
        "request_id": response.headers["X-Request-ID"],
    }


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("image/png", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("application/json;q=0.8, text/html", "text/html"),
    ],
)
def test_client_chooses_the_format(client: FlaskClient, accept: str, mimetype: str) -> None:
    response = client.get("/tests/abort/404", headers={"Accept": accept})
    assert response.mimetype == mimetype
    assert "Accept" in response.vary


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/json"])
@pytest.mark.parametrize(
    ("path", "code"), [("/api/tests/nowhere", 404), ("/api/tests/break/topsecret", 500)]
)
def test_api_has_json_alone(client: FlaskClient, path: str, code: int, accept: str) -> None:
    response = client.get(path, headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (code, "application/json")
    assert response.get_json()["name"] == NAMES[code]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_unexpected_error_shows_nothing_of_its_cause(client: FlaskClient, accept: str) -> None:
    response = client.get("/tests/break/topsecret", headers={"Accept": accept})
    assert response.status_code == 500
    assert "topsecret" not in response.text


def test_unexpected_error_shows_in_a_test(make_app: MakeApp) -> None:
    with pytest.raises(RuntimeError, match="the cause"):
        make_app().test_client().get("/tests/break/the cause")


def test_description_is_escaped(client: FlaskClient) -> None:
    assert "<script>" not in client.get("/tests/describe").text


@pytest.mark.parametrize(
    ("path", "code"), [("/tests/abort/404", 404), ("/tests/break/it", 500), ("/tests/page", 405)]
)
def test_page_that_fails_itself_is_plain_text(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str], path: str, code: int
) -> None:
    app = make_app()
    app.testing = False

    @app.context_processor
    def menu() -> dict[str, str]:
        message = "topsecret"
        raise RuntimeError(message)

    response = app.test_client().open(path, method="POST" if code == 405 else "GET")

    assert (response.status_code, response.mimetype) == (code, "text/plain")
    request_id = response.headers["X-Request-ID"]
    assert request_id in response.text
    assert "topsecret" not in response.text
    assert response.headers["X-Frame-Options"] == "DENY"
    assert ("Allow" in response.headers) is (code == 405)
    log = capsys.readouterr().err
    assert "RuntimeError: topsecret" in log
    assert f"INFO [{request_id}]" in log
    assert f"{path} {code}" in log
