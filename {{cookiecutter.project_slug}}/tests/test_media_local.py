import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier

import pytest
from conftest import MB, MakeApp, PeakMemory, read, zeros
from flask import render_template_string
from flask.testing import FlaskClient

from {{ cookiecutter.package_name }}.media import from_dsn, media
from {{ cookiecutter.package_name }}.media.local import LocalStorage


@pytest.fixture
def links(local_storage: LocalStorage, tmp_path: Path) -> LocalStorage:
    """Return a storage with links in it, and a link to its own folder as the folder."""
    local_storage.save("a/inside", BytesIO(b"data"))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("topsecret")
    for name, target in {
        "file": "../outside/secret",
        "folder": "../outside",
        "a/up": "..",
        "within": "a/inside",
        "loop": "loop",
        "broken": "missing",
    }.items():
        (local_storage.folder / name).symlink_to(target)
    (tmp_path / "link").symlink_to(local_storage.folder)
    return LocalStorage(tmp_path / "link", "/media/")


LINKS = ["file", "folder/secret", "a/up/a/inside", "within", "loop", "broken"]


@pytest.mark.parametrize("name", LINKS)
def test_link_is_no_file(links: LocalStorage, name: str, tmp_path: Path) -> None:
    assert not links.exists(name)
    with pytest.raises(FileNotFoundError):
        links.open(name)
    links.delete(name)
    assert links.save(name.partition("/")[0], BytesIO(b"new")) != name
    assert [file.name for file in links.list("a/")] == ["a/inside"]
    assert name not in {file.name for file in links.list()}
    assert (tmp_path / "outside" / "secret").read_text() == "topsecret"


def test_nothing_is_saved_behind_a_link_or_a_file(links: LocalStorage, tmp_path: Path) -> None:
    for name in ("folder/a", "folder/a/b", "a/up/b", "a/inside/b", "a/inside/b/c"):
        with pytest.raises(ValueError, match="a part of it is a file or a link"):
            links.save(name, BytesIO(b"data"))
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["secret"]


def test_folder_may_be_a_link(links: LocalStorage) -> None:
    name = links.save("b", BytesIO(b"new"))
    assert read(links, name) == b"new"
    assert [file.name for file in links.list()] == ["a/inside", "b"]


def test_name_of_a_folder_is_taken(local_storage: LocalStorage) -> None:
    local_storage.save("photos/cat.jpg", BytesIO(b"data"))
    assert local_storage.save("photos", BytesIO(b"data")) != "photos"


def test_saves_at_the_same_time_get_names_of_their_own(local_storage: LocalStorage) -> None:
    contents = [str(number).encode() for number in range(8)]
    start = Barrier(len(contents))

    def save(content: bytes) -> str:
        start.wait(timeout=5)
        return local_storage.save("cat.jpg", BytesIO(content))

    with ThreadPoolExecutor(len(contents)) as threads:
        saved = list(threads.map(save, contents))
    assert len(set(saved)) == len(contents)
    assert [read(local_storage, name) for name in saved] == contents


@pytest.mark.parametrize("overwrite", [False, True])
def test_upload_that_fails_leaves_nothing(local_storage: LocalStorage, *, overwrite: bool) -> None:
    closed = BytesIO()
    closed.close()
    with pytest.raises(ValueError, match="closed file"):
        local_storage.save("a", closed, overwrite=overwrite)
    assert list(local_storage.folder.iterdir()) == []


def test_memory_stays_flat(local_storage: LocalStorage, peak_memory: PeakMemory) -> None:
    name = local_storage.save("large", zeros(32 * MB))
    assert (local_storage.folder / name).stat().st_size == 32 * MB
    assert peak_memory() < 4 * MB


def test_check_tells_that_the_folder_is_not_writable(
    local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by chmod, because root may write everywhere.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(PermissionError, match="is not writable"):
        local_storage.check()


@pytest.mark.parametrize(
    ("dsn", "folder", "base_url"),
    [
        ("file:///data/media/?url=%2Fmedia%2F", "/data/media", "/media/"),
        ("file:///data/media?url=/media", "/data/media", "/media/"),
        ("FILE:/data/media/", "/data/media", ""),
        ("file:///my%20media/", "/my%20media", ""),
        ("file:///m/?url=https%3A%2F%2Fcdn.example%2Fm", "/m", "https://cdn.example/m/"),
    ],
)
def test_dsn(dsn: str, folder: str, base_url: str) -> None:
    storage = from_dsn(dsn)
    assert isinstance(storage, LocalStorage)
    assert (storage.folder, storage.base_url) == (Path(folder), base_url)


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("file://topsecret/media", "names no absolute folder"),
        ("file:///data/media/?url=topsecret", "has an option url that is neither"),
        ("file:///data/media/?url=/<topsecret", "has an option url that is neither"),
        ("file:///data/media/?url=https://top;secret/", "has an option url that is neither"),
        ("file:///data/media/?url=//top;secret/", "has an option url that is neither"),
        ("file:///data/media/?url=https://[topsecret/", "has an option url that is neither"),
        ("file:topsecret", "names no absolute folder"),
    ],
)
def test_unusable_dsn_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        from_dsn(dsn)
    assert "top" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("/media/", "/media/a%20b/%C3%BC%2Bc.txt"),
        ("https://cdn.example/m", "https://cdn.example/m/a%20b/%C3%BC%2Bc.txt"),
    ],
)
def test_url(tmp_path: Path, base_url: str, url: str) -> None:
    assert LocalStorage(tmp_path, base_url).url("a b/\xfc+c.txt") == url


def test_without_a_base_url_there_is_no_url(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DEFAULT_STORAGE_DSN"):
        LocalStorage(tmp_path).url("a")


@pytest.fixture
def client(make_app: MakeApp, tmp_path: Path) -> FlaskClient:
    """Return a client of an application that has media in a folder, with one file in it."""
    dsn = f"file://{tmp_path}/media/?url=%2Fmedia%2F"
    app = make_app(DEFAULT_STORAGE_DSN=dsn, MEDIA_MAX_AGE="60")
    (tmp_path / "outside.txt").write_text("topsecret")
    with app.app_context():
        media.save("a/\xfc.html", BytesIO(b"<script>"))
        media.save("a.TXT", BytesIO(b"text"))
    (tmp_path / "media" / "link.txt").symlink_to(tmp_path / "outside.txt")
    return app.test_client()


def test_local_media_is_served_at_its_url_in_templates(client: FlaskClient) -> None:
    with client.application.app_context():
        url = render_template_string("{% raw %}{{media.url(name)}}{% endraw %}", name="a/\xfc.html")
    with client.get(url) as response:
        assert (response.status_code, response.data) == (200, b"<script>")
        assert response.headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(
    ("path", "content_type", "disposition"),
    [
        ("a/%C3%BC.html", "application/octet-stream", "attachment"),
        ("a.TXT", "text/plain; charset=utf-8", "inline"),
    ],
)
def test_served_media_runs_no_scripts(
    client: FlaskClient, path: str, content_type: str, disposition: str
) -> None:
    with client.get(f"/media/{path}") as response:
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"].partition(";")[0] == disposition
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policies = response.headers.getlist("Content-Security-Policy")
        assert policies == ["default-src 'none'; sandbox"]


@pytest.mark.parametrize(
    "path",
    [
        "missing.txt",
        "link.txt",
        "a" * 300,
        "a",
        "../outside.txt",
        "%2E%2E/outside.txt",
        "..%2Foutside.txt",
        "a/../../outside.txt",
        "..%5Coutside.txt",
        "%00",
        "%2Fetc%2Fpasswd",
        "",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    response = client.get(f"/media/{path}", follow_redirects=True)
    assert response.status_code == 404
    assert "topsecret" not in response.text


@pytest.mark.parametrize("query", ["", "?url=https%3A%2F%2Flocalhost%2Fmedia%2F"])
def test_media_with_other_urls_is_not_served(make_app: MakeApp, tmp_path: Path, query: str) -> None:
    (tmp_path / "a").touch()
    client = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}{query}").test_client()
    assert client.get("/media/a").status_code == 404
