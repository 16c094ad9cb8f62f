import pytest

from guestbook import create_app, db


@pytest.fixture
def client():
    app = create_app("sqlite://")
    with app.app_context():
        db.create_all()
        yield app.test_client()


def test_guest_book_is_empty_at_first(client):
    assert client.get("/").data == b""


def test_guest_signs(client):
    assert client.post("/", data={"text": "I was here"}).status_code == 302
    assert b"I was here" in client.get("/").data
