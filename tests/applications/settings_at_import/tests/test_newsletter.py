import pytest

from newsletter import app, db


@pytest.fixture
def client():
    with app.app_context():
        db.create_all()
        yield app.test_client()
        db.drop_all()


def test_nobody_reads_at_first(client):
    assert client.get("/readers").json == {"sender": "test@example.org", "readers": []}


def test_reader_subscribes(client):
    client.post("/readers", data={"text": "reader@example.org"})
    assert client.get("/readers").json["readers"] == ["reader@example.org"]
