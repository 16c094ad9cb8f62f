import pytest

from application import application, db


@pytest.fixture
def client():
    with application.app_context():
        db.create_all()
        yield application.test_client()
        db.drop_all()


def test_nothing_to_do(client):
    assert client.get("/").data == b""


def test_task_is_escaped(client):
    client.post("/", data={"text": "<b>"})
    assert client.get("/").data == b"<li>&lt;b&gt;"
