import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import BinaryIO, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from {{ cookiecutter.package_name }} import media as module
from {{ cookiecutter.package_name }}.media import local, names

MB = 2**20


def stream(data: bytes = b"data") -> BinaryIO:
    return io.BytesIO(data)


def read(storage: module.Storage, name: str) -> bytes:
    with storage.open(name) as file:
        return file.read()


@pytest.fixture
def storage(tmp_path: Path) -> local.LocalStorage:
    return local.LocalStorage(tmp_path / "media", "/media/")


# Names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("cat.jpg", "cat.jpg"),
        ("photos/2026/cat-1_a+b.JPG", "photos/2026/cat-1_a+b.JPG"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/./b/../c", "a/b/c"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\photos\\cat.jpg", "C/photos/cat.jpg"),
        ("cat.jpg\0.exe", "cat.jpg_.exe"),
        ("a\r\nb.jpg", "a_b.jpg"),
        ("  my  cat .jpg ", "my_cat_.jpg"),
        (".htaccess", "htaccess"),
        ("a/.hidden/b", "a/hidden/b"),
        ("a//b", "a/b"),
        ("<img src=x>.png", "img_src_x_.png"),
        ("%2e%2e/a", "2e_2e/a"),
        ("\u732b.jpg", "\u732b.jpg"),
        ("e\u0301.jpg", "\xe9.jpg"),
        ("gpj.\u202etac.exe", "gpj._tac.exe"),
    ],
    ids=ascii,
)
def test_name_is_made_safe(given: str, expected: str) -> None:
    assert names.safe(given) == expected
    assert names.safe(expected) == expected
    assert names.checked(expected) == expected


@pytest.mark.parametrize("name", ["", " ", ".", "..", "/", "../..", "\\", "\0", "...", "_"])
def test_name_without_anything_safe_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        names.safe(name)


@pytest.mark.parametrize(
    "name",
    ["a" * 300, "a" * 300 + ".jpg", "\u732b" * 300 + ".jpg", "a." + "\u732b" * 300],
    ids=["plain", "suffix", "unicode", "long-suffix"],
)
def test_long_name_is_shortened(storage: local.LocalStorage, name: str) -> None:
    first, second = (storage.save(name, stream()) for _ in range(2))
    assert len(first.encode()) <= 200
    assert first != second
    assert Path(second).suffix == Path(first).suffix


@pytest.mark.parametrize("name", ["", "/", "..", "notes/", "notes/..", "notes/_"])
def test_name_without_a_file_is_refused(storage: local.LocalStorage, name: str) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        storage.save(name, io.BytesIO())


def test_name_below_a_file_is_refused(storage: local.LocalStorage) -> None:
    storage.save("notes", io.BytesIO())
    for name in ("notes/a.txt", "notes/a/b.txt"):
        with pytest.raises(ValueError, match="a part of it is a file"):
            storage.save(name, io.BytesIO())


def test_long_name_loses_its_first_folders() -> None:
    name = names.safe("/".join(["folder"] * 500 + ["file.txt"]))
    assert len(name) <= names.LONGEST_NAME
    assert name.endswith("folder/file.txt")


def test_long_name_keeps_its_suffix() -> None:
    assert names.safe("a" * 300 + ".jpg").endswith("a.jpg")


# The interface


def test_file_comes_back(storage: local.LocalStorage) -> None:
    name = storage.save("photos/cat.jpg", stream(b"\0\xff"))
    assert name == "photos/cat.jpg"
    assert storage.exists(name)
    assert read(storage, name) == b"\0\xff"


def test_only_what_is_left_of_a_stream_is_saved(storage: local.LocalStorage) -> None:
    data = stream(b"header body")
    data.seek(len(b"header "))
    assert read(storage, storage.save("a", data)) == b"body"


def test_missing_file(storage: local.LocalStorage) -> None:
    assert not storage.exists("a")
    storage.delete("a")
    with pytest.raises(FileNotFoundError):
        storage.open("a")


def test_folder_is_no_file(storage: local.LocalStorage) -> None:
    storage.save("photos/cat.jpg", stream())
    assert not storage.exists("photos")


def test_delete(storage: local.LocalStorage) -> None:
    name = storage.save("cat.jpg", stream())
    storage.delete(name)
    assert not storage.exists(name)


def test_list_is_sorted_and_starts_with_the_prefix(storage: local.LocalStorage) -> None:
    assert list(storage.list()) == []
    for name in ("b", "a/c", "a/b", "ab"):
        storage.save(name, stream())
    assert list(storage.list()) == ["a/b", "a/c", "ab", "b"]
    assert list(storage.list("a")) == ["a/b", "a/c", "ab"]
    assert list(storage.list("a/")) == ["a/b", "a/c"]


def test_taken_name_is_not_overwritten(storage: local.LocalStorage) -> None:
    first = storage.save("a/cat.jpg", stream(b"first"))
    second = storage.save("a/cat.jpg", stream(b"second"))
    assert second != first
    assert second.startswith("a/cat_")
    assert second.endswith(".jpg")
    assert [read(storage, name) for name in (first, second)] == [b"first", b"second"]


def test_taken_name_is_overwritten_when_asked(storage: local.LocalStorage) -> None:
    storage.save("cat.jpg", stream(b"first"))
    assert storage.save("cat.jpg", stream(b"second"), overwrite=True) == "cat.jpg"
    assert list(storage.list()) == ["cat.jpg"]
    assert read(storage, "cat.jpg") == b"second"


def test_name_of_a_folder_is_taken(storage: local.LocalStorage) -> None:
    storage.save("photos/cat.jpg", stream())
    assert storage.save("photos", stream()) != "photos"


def test_saves_at_the_same_time_get_names_of_their_own(storage: local.LocalStorage) -> None:
    contents = [str(number).encode() for number in range(8)]
    start = Barrier(len(contents))

    def save(content: bytes) -> str:
        start.wait(timeout=5)
        return storage.save("cat.jpg", stream(content))

    with ThreadPoolExecutor(len(contents)) as threads:
        saved = list(threads.map(save, contents))
    assert len(set(saved)) == len(contents)
    assert [read(storage, name) for name in saved] == contents


@pytest.mark.parametrize("method", ["open", "delete", "exists", "url"])
@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "a//b", "a/", "..\\a", "a\0b"]
)
def test_name_that_leaves_the_storage_is_refused(
    storage: local.LocalStorage, method: str, name: str
) -> None:
    with pytest.raises(ValueError, match="is not the name of a media file"):
        getattr(storage, method)(name)


class Interrupted(io.RawIOBase):
    """A stream that breaks off, and tells what the storage shows while it is read."""

    def __init__(self, storage: local.LocalStorage) -> None:
        self.storage = storage
        self.seen: list[str] | None = None

    def read(self, _size: int = -1) -> bytes:
        if self.seen is None:
            self.seen = list(self.storage.list())
            return b"half"
        self.seen = list(self.storage.list())
        message = "connection lost"
        raise OSError(message)


@pytest.mark.parametrize("overwrite", [False, True])
def test_half_a_file_is_never_seen(storage: local.LocalStorage, *, overwrite: bool) -> None:
    storage.save("old", stream(b"old"))
    upload = Interrupted(storage)
    with pytest.raises(OSError, match="connection lost"):
        storage.save("old", cast("BinaryIO", upload), overwrite=overwrite)
    assert upload.seen == ["old"]
    assert [path.name for path in storage.folder.iterdir()] == ["old"]
    assert read(storage, "old") == b"old"


def test_memory_stays_flat(
    storage: local.LocalStorage,
    zeros: Callable[[int], BinaryIO],
    peak_memory: Callable[[], int],
) -> None:
    name = storage.save("large", zeros(32 * MB))
    assert (storage.folder / name).stat().st_size == 32 * MB
    assert peak_memory() < 4 * MB


# DSNs


@pytest.mark.parametrize(
    ("dsn", "folder", "base_url"),
    [
        ("file:///data/media/?url=%2Fmedia%2F", "/data/media", "/media/"),
        ("file:///data/media?url=/media", "/data/media", "/media/"),
        ("file:/data/media/", "/data/media", ""),
        ("file:///my%20media/", "/my%20media", ""),
        ("file:///m/?url=https%3A%2F%2Fcdn.example%2Fm", "/m", "https://cdn.example/m/"),
    ],
)
def test_dsn(dsn: str, folder: str, base_url: str) -> None:
    storage = module.from_dsn(dsn)
    assert isinstance(storage, local.LocalStorage)
    assert (storage.folder, storage.base_url) == (Path(folder), base_url)


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("file://topsecret/media", "names no absolute folder"),
        ("file:///data/media/?url=topsecret", "has an option url that is neither"),
        ("file:topsecret", "names no absolute folder"),
        ("/data/topsecret/", "has an unknown scheme"),
        ("gs://key:topsecret@host", "has an unknown scheme"),
        ("http://[topsecret", "has an unknown scheme"),
    ],
)
def test_unusable_dsn_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        module.from_dsn(dsn)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("/media/", "/media/a%20b/%C3%BC%2Bc.txt"),
        ("https://cdn.example/m", "https://cdn.example/m/a%20b/%C3%BC%2Bc.txt"),
    ],
)
def test_url(tmp_path: Path, base_url: str, url: str) -> None:
    assert local.LocalStorage(tmp_path, base_url).url("a b/\xfc+c.txt") == url


def test_without_a_base_url_there_is_no_url(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DEFAULT_STORAGE_DSN"):
        local.LocalStorage(tmp_path).url("a")


# The application


@pytest.fixture
def client(make_app: Callable[..., Flask], tmp_path: Path) -> FlaskClient:
    """Return a client of an application that has media in a folder, with one file in it."""
    app = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/media/?url=%2Fmedia%2F")
    (tmp_path / "outside.txt").write_text("topsecret")
    with app.app_context():
        module.media.save("a/\xfc.html", stream(b"<script>"))
    return app.test_client()


def test_local_media_is_served(client: FlaskClient) -> None:
    with client.application.app_context():
        url = module.media.url("a/\xfc.html")
    with client.get(url) as response:
        assert (response.status_code, response.data) == (200, b"<script>")


def test_served_media_runs_no_scripts(client: FlaskClient) -> None:
    with client.get("/media/a/%C3%BC.html") as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "path",
    [
        "missing.txt",
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
def test_media_with_other_urls_is_not_served(
    make_app: Callable[..., Flask], tmp_path: Path, query: str
) -> None:
    (tmp_path / "a").touch()
    client = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}{query}").test_client()
    assert client.get("/media/a").status_code == 404


def test_without_a_storage_its_use_tells_what_to_set(app: Flask) -> None:
    assert app.test_client().get("/").status_code == 200
    with app.app_context(), pytest.raises(module.NotConfiguredError, match="DEFAULT_STORAGE_DSN"):
        module.media.exists("a")


def test_check_makes_the_folder(storage: local.LocalStorage) -> None:
    storage.check()
    assert storage.folder.is_dir()


def test_check_tells_that_the_folder_is_not_writable(
    storage: local.LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by chmod, because root may write everywhere.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(PermissionError, match="is not writable"):
        storage.check()
