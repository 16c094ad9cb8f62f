import pytest

from config import Testing
from shop import create_app, db


@pytest.fixture
def client():
    app = create_app(Testing)
    with app.app_context():
        db.create_all()
        yield app.test_client()


def test_no_orders(client):
    assert client.get("/orders").json == []


def test_order_is_kept(client):
    assert client.post("/orders", data={"text": "two pears"}).status_code == 201
    assert client.get("/orders").json == ["two pears"]
