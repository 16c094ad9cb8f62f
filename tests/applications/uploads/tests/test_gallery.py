import io

import pytest

from app import create_app, db


@pytest.fixture
def client(tmp_path):
    app = create_app(UPLOAD_FOLDER=str(tmp_path))
    with app.app_context():
        db.create_all()
        yield app.test_client()


def test_gallery_is_empty(client):
    assert client.get("/").text == ""


def test_picture_is_kept(client, tmp_path):
    picture = (io.BytesIO(b"picture"), "../a b.png")
    client.post("/", data={"text": "A cat", "file": picture})
    assert client.get("/").text == "<li>A cat, 7 bytes"
    assert (tmp_path / "a_b.png").read_bytes() == b"picture"
