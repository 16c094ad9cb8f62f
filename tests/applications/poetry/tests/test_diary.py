from importlib.metadata import version

import pytest

from diary.app import Day, database, make_app


@pytest.fixture
def client():
    app = make_app()
    app.testing = True
    database.create_tables([Day])
    yield app.test_client()
    database.close()


def test_diary_is_empty_at_first(client):
    assert client.get("/").json == {"days": []}


def test_locked_version_is_installed():
    assert version("werkzeug") == "3.0.6"


def test_diary_is_written(client):
    client.post("/", data={"text": "Dear diary"})
    assert client.get("/").json == {"days": ["Dear diary"]}
