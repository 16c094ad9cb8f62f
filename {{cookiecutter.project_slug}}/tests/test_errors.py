import json

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

NAMES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


@pytest.fixture
def app(app: Flask) -> Flask:
    @app.get("/abort/<int:code>")
    def stop(code: int) -> str:
        abort(code)

    @app.get("/describe")
    def describe() -> str:
        abort(400, "<script>alert(1)</script>")

    @app.get("/break")
    def fail() -> str:
        message = "topsecret"
        raise RuntimeError(message)

    @app.get("/folder/")
    def folder() -> str:
        return "folder"

    return app


@pytest.mark.parametrize("code", NAMES)
def test_page(client: FlaskClient, code: int) -> None:
    response = client.get(f"/abort/{code}")
    assert (response.status_code, response.mimetype) == (code, "text/html")
    assert f"<h1>{NAMES[code]}</h1>" in response.text
    assert response.headers["X-Request-ID"] in response.text


@pytest.mark.parametrize("code", NAMES)
def test_json(client: FlaskClient, code: int) -> None:
    response = client.get(f"/abort/{code}", headers={"Accept": "application/json"})
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
    assert client.get("/nowhere", headers={"Accept": accept}).mimetype == mimetype


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_unexpected_error_shows_nothing_of_its_cause(client: FlaskClient, accept: str) -> None:
    response = client.get("/break", headers={"Accept": accept})
    assert response.status_code == 500
    assert "topsecret" not in response.text


def test_description_is_escaped(client: FlaskClient) -> None:
    assert "<script>" not in client.get("/describe").text


def test_headers_of_the_error_are_kept(client: FlaskClient) -> None:
    response = client.post("/hello")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_redirect_is_no_error(client: FlaskClient) -> None:
    response = client.get("/folder")
    assert (response.status_code, response.location) == (308, "http://localhost/folder/")
