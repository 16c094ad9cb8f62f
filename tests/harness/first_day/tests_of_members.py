import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy

from my_flask_app.database import Base
from my_flask_app.members import Member, Role


@pytest.fixture(autouse=True)
def _members(database: SQLAlchemy) -> None:
    Base.metadata.create_all(database.engine)
    database.session.add(Member(name="Ann", role=Role.WRITER, tags=["a", "b"]))
    database.session.commit()


def test_only_who_logged_in_is_known(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    ann, visitor = app.test_client(), app.test_client()
    page = ann.post("/login", data={"name": "Ann"}, follow_redirects=True).text
    assert "Welcome &lt;back&gt;" in page
    assert ann.get("/upload").text == "Ann"
    assert visitor.get("/upload").status_code == 403
    assert visitor.post("/login", data={"name": "Bob"}).status_code == 403


def test_api(client: FlaskClient) -> None:
    added = client.post("/api/members/", json={"name": "Bob", "tags": ["c"]})
    assert added.status_code == 201
    shown = client.get(f"/api/members/{added.get_json()['id']}").get_json()
    assert (shown["name"], shown["tags"]) == ("Bob", ["c"])
    assert shown["joined"].endswith("+00:00")
    assert client.get("/api/members/99").get_json()["code"] == 404


def test_cause_of_an_error_shows(client: FlaskClient) -> None:
    with pytest.raises(KeyError, match="tags"):
        client.post("/api/members/", json={"name": "Bob"})
