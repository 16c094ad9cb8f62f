import pytest

from app import application, db


@pytest.fixture
def client():
    with application.app_context():
        db.create_all()
        yield application.test_client()
        db.drop_all()


def test_start_page(client):
    assert client.get("/").text == "Own container."


def test_crate_is_kept(client):
    client.post("/crates", data={"text": "oranges"})
    assert client.get("/crates").text == "oranges"
