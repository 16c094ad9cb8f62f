import pytest

from polls import create_app


@pytest.fixture
def client():
    return create_app({"TESTING": True}).test_client()


def test_table_is_there(client):
    assert client.get("/").status_code == 200


def test_poll_is_listed(client):
    client.post("/", data={"text": "Tea or coffee?"})
    assert client.get("/").text == "Tea or coffee?"
