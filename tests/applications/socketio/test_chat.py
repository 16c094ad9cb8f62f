import pytest

from chat import app, db, socketio


@pytest.fixture
def client():
    with app.app_context():
        db.create_all()
        yield app.test_client()
        db.drop_all()


def test_what_is_said_arrives_and_is_kept(client):
    browser = socketio.test_client(app, flask_test_client=client)
    browser.emit("say", "hello")
    assert browser.get_received()[0]["args"] == ["hello"]
    assert client.get("/").text == "hello"


def test_page_tells_browsers(client):
    browser = socketio.test_client(app)
    client.post("/", data={"text": "from the page"})
    assert browser.get_received()[0]["args"] == ["from the page"]
