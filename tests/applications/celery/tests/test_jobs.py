import pytest

from jobs import create_app, db


@pytest.fixture
def client():
    app = create_app()
    with app.app_context():
        db.create_all()
        yield app.test_client()


def test_no_orders(client):
    assert client.get("/").text == ""


def test_order_is_shipped(client):
    client.post("/", data={"text": "two pears"})
    assert client.get("/").text == "two pears, shipped"
