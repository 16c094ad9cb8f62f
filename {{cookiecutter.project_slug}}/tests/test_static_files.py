import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from whitenoise.compress import main as compress

from {{ cookiecutter.package_name }} import static_files, wsgi

Decompress = Callable[[bytes], bytes]

CSS = b"body { color: black }\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/style.css").write_bytes(CSS)
    return tmp_path


def serve(folder: Path, *, development: bool = False) -> FlaskClient:
    app = Flask("other", static_folder=folder, static_url_path="/static")
    app.config["DEVELOPMENT"] = development
    wsgi.surround(app, static_files.serve)
    return app.test_client()


def url(client: FlaskClient, name: str) -> str:
    with client.application.test_request_context():
        return url_for("static", filename=name)


def test_url_has_a_hash_of_the_content(folder: Path) -> None:
    first = url(serve(folder), "css/style.css")
    assert re.fullmatch(r"/static/css/style\.[0-9a-f]{12}\.css", first)
    assert url(serve(folder), "css/style.css") == first
    (folder / "css/style.css").write_bytes(b"")
    assert url(serve(folder), "css/style.css") != first


@pytest.mark.parametrize("name", ["style.css", "favicon.svg"])
def test_static_file_of_the_application(app: Flask, name: str) -> None:
    client = app.test_client()
    with client.get(url(client, name)) as response:
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_hashed_url_may_be_cached_for_ever(folder: Path) -> None:
    client = serve(folder)
    with client.get(url(client, "css/style.css")) as response:
        assert (response.status_code, response.data) == (200, CSS)
        assert response.mimetype == "text/css"
        assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"


def test_plain_url_may_be_cached_for_minutes(folder: Path) -> None:
    with serve(folder).get("/static/css/style.css") as response:
        assert (response.status_code, response.data) == (200, CSS)
        assert response.headers["Cache-Control"] == "max-age=300, public"


def test_in_development_changes_are_seen(folder: Path) -> None:
    client = serve(folder, development=True)
    assert url(client, "css/style.css") == "/static/css/style.css"
    (folder / "css/style.css").write_bytes(b"changed")
    with client.get("/static/css/style.css") as response:
        assert response.data == b"changed"
        assert response.headers["Cache-Control"] == "max-age=0, public"


@pytest.mark.parametrize(
    ("accepted", "encoding", "decompress"),
    [
        ("gzip, deflate, br", "br", brotli.decompress),
        ("gzip, deflate", "gzip", gzip.decompress),
        ("identity", None, bytes),
    ],
)
@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "plain"])
def test_best_compressed_file_is_served(
    folder: Path, accepted: str, encoding: str | None, decompress: Decompress, *, hashed: bool
) -> None:
    compress(["--quiet", str(folder)])
    client = serve(folder)
    path = url(client, "css/style.css") if hashed else "/static/css/style.css"
    with client.get(path, headers={"Accept-Encoding": accepted}) as response:
        assert response.headers.get("Content-Encoding") == encoding
        assert response.headers["Vary"] == "Accept-Encoding"
        assert decompress(response.data) == CSS


def test_compressed_files_have_no_url_of_their_own(folder: Path) -> None:
    before = url(serve(folder), "css/style.css")
    compress(["--quiet", str(folder)])
    client = serve(folder)
    assert url(client, "css/style.css") == before
    assert url(client, "css/style.css.gz") == "/static/css/style.css.gz"


@pytest.mark.parametrize(
    "path", ["nowhere.css", "css", "../conftest.py", "%2E%2E/conftest.py", "css/style.0.css"]
)
def test_nothing_else_is_served(folder: Path, path: str) -> None:
    client = serve(folder / "css")
    shutil.copy(__file__, folder / "conftest.py")
    assert client.get(f"/static/{path}", follow_redirects=True).status_code == 404
