"""What each kind of storage promises. What one does alone is tested in a file of its own."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from conftest import MB, read, zeros
from flask import Flask

from {{ cookiecutter.package_name }}.media import NotConfiguredError, Storage, from_dsn, media
from {{ cookiecutter.package_name }}.media.content_types import content_type, is_download
from {{ cookiecutter.package_name }}.media.names import LONGEST_NAME, checked, safe


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
        ("a.\U0001f600png", "a.png"),
        ("a/\udcff.png", "a/file.png"),
        ("\U0001f600.png", "file.png"),
        ("\U0001f600/\U0001f600.PNG", "file.PNG"),
        ("\U0001f600.d/a", "file.d/a"),
        ("\U0001f600.\U0001f600", "file"),
        ("a" * 300 + ".jpg", "a" * 196 + ".jpg"),
        ("a." + "b" * 30, "a." + "b" * 19),
        *[(name, "file") for name in ("", " ", ".", "..", "/", "../..", "\\", "\0", "...", "_")],
        *[(f"notes/{name}", "notes/file") for name in ("", "..", "_", "\U0001f600")],
    ],
    ids=ascii,
)
def test_name_is_made_safe(given: str, expected: str) -> None:
    assert safe(given) == expected


@pytest.mark.parametrize("length", [1, 18, 190, 300])
@pytest.mark.parametrize("suffix", ["", ".", ".png", "._.a", "._a" + "_" * 30 + "a", ".b" * 30])
@pytest.mark.parametrize("stem", ["", "a", ".", "a_", "..a", "\u732b", "\U0001f600", "/", "a/"])
def test_safe_name_is_left_as_it_is(stem: str, suffix: str, length: int) -> None:
    name = safe(stem * length + suffix)
    assert safe(name) == checked(name) == name


def test_long_name_loses_its_first_folders() -> None:
    name = safe("/".join(["folder"] * 500 + ["file.txt"]))
    assert len(name) <= LONGEST_NAME
    assert name.endswith("folder/file.txt")


@pytest.fixture(params=["local"{{ ', "%s"' | format(cookiecutter.media_storage) if cookiecutter.media_storage != 'local' }}])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Return a storage of each kind in turn."""
    storage: Storage = request.getfixturevalue(f"{request.param}_storage")
    return storage


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("photos/cat.jpg", "photos/cat.jpg"),
        ("photos/../\xfc 1.jpg", "photos/\xfc_1.jpg"),
        ("photos/", "photos/file"),
    ],
    ids=["safe", "made-safe", "without-a-file"],
)
def test_file_comes_back_until_it_is_deleted(storage: Storage, given: str, expected: str) -> None:
    assert storage.save(given, BytesIO(b"\0\xff")) == expected
    assert storage.exists(expected)
    assert read(storage, expected) == b"\0\xff"
    storage.delete(expected)
    assert not storage.exists(expected)


def test_only_what_is_left_of_a_stream_is_saved(storage: Storage) -> None:
    data = BytesIO(b"header body")
    data.seek(len(b"header "))
    assert read(storage, storage.save("a", data)) == b"body"


def test_stream_that_cannot_be_sought_is_saved(storage: Storage) -> None:
    assert read(storage, storage.save("a", zeros(MB + 1))) == bytes(MB + 1)


@pytest.mark.parametrize("name", ["missing", "photos", "photos/cat.jpg/a", "a" * 300])
def test_name_of_no_file(storage: Storage, name: str) -> None:
    storage.save("photos/cat.jpg", BytesIO(b"data"))
    assert not storage.exists(name)
    storage.delete(name)
    with pytest.raises(FileNotFoundError):
        storage.open(name)
    assert storage.exists("photos/cat.jpg")


def names(storage: Storage, prefix: str = "") -> list[str]:
    return [file.name for file in storage.list(prefix)]


def test_list_is_sorted_and_starts_with_the_prefix(storage: Storage) -> None:
    assert names(storage) == []
    for name in ("b", "a/c", "a/b", "ab"):
        storage.save(name, BytesIO(b"data"))
    assert names(storage) == ["a/b", "a/c", "ab", "b"]
    assert names(storage, "a") == ["a/b", "a/c", "ab"]
    assert names(storage, "a/") == ["a/b", "a/c"]


def test_list_tells_size_and_time(storage: Storage) -> None:
    storage.save("a", BytesIO(b"data"))
    (file,) = storage.list()
    assert file.size == len(b"data")
    assert file.saved.utcoffset() == timedelta()
    # Two clocks, one of whole seconds.
    assert abs(datetime.now(UTC) - file.saved) < timedelta(minutes=1)


def test_taken_name_is_not_overwritten(storage: Storage) -> None:
    first = storage.save("a/cat.jpg", BytesIO(b"first"))
    second = storage.save("a/cat.jpg", BytesIO(b"second"))
    assert second != first
    assert second.startswith("a/cat_")
    assert second.endswith(".jpg")
    assert [read(storage, name) for name in (first, second)] == [b"first", b"second"]


def test_taken_name_is_overwritten_when_asked(storage: Storage) -> None:
    storage.save("cat.jpg", BytesIO(b"first"))
    assert storage.save("cat.jpg", BytesIO(b"second"), overwrite=True) == "cat.jpg"
    assert names(storage) == ["cat.jpg"]
    assert read(storage, "cat.jpg") == b"second"


@pytest.mark.parametrize(
    "name",
    ["a" * 300, "a" * 300 + ".jpg", "\u732b" * 300 + ".jpg", "a." + "\u732b" * 300],
    ids=["plain", "suffix", "unicode", "long-suffix"],
)
def test_long_name_is_shortened(storage: Storage, name: str) -> None:
    first, second = (storage.save(name, BytesIO(b"data")) for _ in range(2))
    assert len(first.encode()) <= 200
    assert first != second
    assert Path(second).suffix == Path(first).suffix


@pytest.mark.parametrize("method", ["open", "delete", "exists", "url"])
@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/../../b", "/etc", "a//b", "a/", "..\\a", "a\\b", "a\0b"]
)
def test_name_that_leaves_the_storage_is_refused(storage: Storage, method: str, name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a media file"):
        getattr(storage, method)(name)


class Interrupted(BytesIO):
    """A stream that breaks off after its first part, and notes what the storage shows then."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(bytes(3 * MB))
        self.storage = storage
        self.seen: list[str] = []

    def read(self, _size: int | None = -1, /) -> bytes:
        if self.tell():
            self.seen = names(self.storage)
            message = "connection lost"
            raise OSError(message)
        return super().read(MB)


@pytest.mark.parametrize("name", ["old", "new"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_half_a_file_is_never_seen(storage: Storage, name: str, *, overwrite: bool) -> None:
    storage.save("old", BytesIO(b"old"))
    upload = Interrupted(storage)
    with pytest.raises(OSError, match="connection lost"):
        storage.save(name, upload, overwrite=overwrite)
    assert upload.seen == names(storage) == ["old"]
    assert read(storage, "old") == b"old"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "image/png"),
        ("a.b/A.JPG", "image/jpeg"),
        ("a.mp3", "audio/mpeg"),
        ("a.mp4", "video/mp4"),
        ("a.pdf", "application/pdf"),
        ("a.html.txt", "text/plain; charset=utf-8"),
    ],
)
def test_browsers_open_what_runs_nothing(name: str, expected: str) -> None:
    assert (content_type(name), is_download(name)) == (expected, False)


@pytest.mark.parametrize(
    "suffix", ["", ".", ".html", ".XHTML", ".xml", ".js", ".json", ".csv", ".svgz", ".txt.html"]
)
def test_browsers_save_all_else(suffix: str) -> None:
    name = f"a{suffix}"
    assert (content_type(name), is_download(name)) == ("application/octet-stream", True)


@pytest.mark.parametrize("name", ["a.svg", "A.SVG"])
def test_browsers_show_svg_in_pages_but_do_not_open_it(name: str) -> None:
    assert (content_type(name), is_download(name)) == ("image/svg+xml", True)


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("/data/topsecret/", "has an unknown scheme"),
        ("gs://key:topsecret@host", "has an unknown scheme"),
        ("s4://topsecret", "has an unknown scheme"),
{% if cookiecutter.media_storage != 'azure' %}
        ("az://key:topsecret@host/media", "needs media_storage azure"),
{% endif %}
{% if cookiecutter.media_storage != 's3' %}
        ("s3://key:topsecret@host", "needs media_storage s3"),
{% endif %}
        ("file://[topsecret/", "cannot be read"),
        ("file://topsecret\u2102\uff0f/", "cannot be read"),
    ],
)
def test_unusable_dsn_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        from_dsn(dsn)
    assert "topsecret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_without_a_storage_its_use_tells_what_to_set(app: Flask) -> None:
    assert app.test_client().get("/tests/page").status_code == 200
    with app.app_context(), pytest.raises(NotConfiguredError, match="DEFAULT_STORAGE_DSN"):
        media.exists("a")
