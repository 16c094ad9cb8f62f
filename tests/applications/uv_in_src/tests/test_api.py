from importlib.metadata import version

import pytest

from inventory import create_app


@pytest.fixture
def client():
    app = create_app({"DATABASE_URL": "sqlite://"})
    app.test_cli_runner().invoke(args=["create-tables"])
    return app.test_client()


def test_no_items(client):
    assert client.get("/api/items").json == []


def test_locked_version_is_installed():
    assert version("click").startswith("8.1.")


def test_new_item_is_listed(client):
    assert client.post("/api/items", data={"text": "lamp"}).status_code == 201
    assert client.get("/api/items").json == ["lamp"]
