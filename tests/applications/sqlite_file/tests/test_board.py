import pytest

from board import create_app, db


@pytest.fixture
def client():
    app = create_app("config.TestConfig")
    with app.app_context():
        db.create_all()
        yield app.test_client()


def test_board_is_empty(client):
    assert client.get("/").text == ""


def test_post_is_shown(client):
    client.post("/", data={"text": "For sale"})
    assert client.get("/").text == "For sale"
