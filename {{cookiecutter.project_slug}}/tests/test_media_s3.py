from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from conftest import MB, MakeApp, PeakMemory, read, variant, zeros
from flask import Flask

from {{ cookiecutter.package_name }}.media import media
from {{ cookiecutter.package_name }}.media.s3 import S3Storage


def test_key_starts_with_the_prefix(s3_storage: S3Storage) -> None:
    s3_storage.save("a/b", BytesIO(b"data"))
    found = s3_storage.client.list_objects_v2(Bucket=s3_storage.bucket)["Contents"]
    assert [item["Key"] for item in found] == ["dir/a/b"]


def test_what_is_outside_or_a_folder_of_a_console_is_not_listed(s3_storage: S3Storage) -> None:
    for key in ("outside", "dir/", "dir/photos/"):
        s3_storage.client.put_object(Bucket=s3_storage.bucket, Key=key, Body=b"")
    assert list(s3_storage.list()) == []


@pytest.mark.parametrize("signed", [False, True], ids=["public", "signed"])
@pytest.mark.parametrize(
    ("name", "content_type", "disposition"),
    [
        ("a+b/\xfc.PNG", "image/png", None),
        ("a.txt", "text/plain; charset=utf-8", None),
        ("a.svg", "image/svg+xml", "attachment"),
        ("a.html", "application/octet-stream", "attachment"),
        ("a", "application/octet-stream", "attachment"),
    ],
)
def test_browser_gets_the_file_at_the_url(
    s3_storage: S3Storage, name: str, content_type: str, disposition: str | None, *, signed: bool
) -> None:
    storage = variant(s3_storage, signed=signed)
    with urlopen(storage.url(storage.save(name, BytesIO(b"<p>")))) as response:
        assert response.read() == b"<p>"
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == disposition


@pytest.mark.parametrize(("acl", "public"), [("public-read", True), ("", False)])
def test_acl(s3_storage: S3Storage, acl: str, *, public: bool) -> None:
    name = variant(s3_storage, acl=acl).save("a", BytesIO(b"data"))
    grants = s3_storage.client.get_object_acl(Bucket=s3_storage.bucket, Key=f"dir/{name}")["Grants"]
    assert ("READ" in {grant["Permission"] for grant in grants}) is public
    found = s3_storage.client.head_object(Bucket=s3_storage.bucket, Key=f"dir/{name}")
    assert found["CacheControl"] == ("public, max-age=0" if public else "private, max-age=0")


def test_signed_url(s3_storage: S3Storage) -> None:
    signed = variant(s3_storage, signed=True, max_age=60)
    url = signed.url(signed.save("a b/\xfc.txt", BytesIO(b"private")))
    assert url.startswith(f"{s3_storage.base_url}a_b/%C3%BC.txt?")
    assert "Signature" in urlsplit(url).query
    with urlopen(url) as response:
        assert response.read() == b"private"
        assert response.headers["Cache-Control"] == "private, max-age=60"


def test_name_that_is_taken_during_the_upload_is_not_overwritten(
    s3_storage: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_storage.save("a.txt", BytesIO(b"first"))
    monkeypatch.setattr(S3Storage, "exists", lambda _self, _name: False)

    name = s3_storage.save("a.txt", BytesIO(b"second"))

    assert name != "a.txt"
    assert read(s3_storage, "a.txt") == b"first"
    assert read(s3_storage, name) == b"second"


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.check(),
        lambda storage: list(storage.list()),
        lambda storage: storage.save("a", BytesIO(b"data")),
    ],
    ids=["check", "list", "save"],
)
def test_missing_bucket_is_an_error(s3_service: S3Storage, use: Callable[..., object]) -> None:
    with pytest.raises(ClientError) as caught:
        use(s3_service)
    assert "secret" not in str(caught.value)


@pytest.fixture
def make_app(make_app: MakeApp) -> Iterator[MakeApp]:
    storages: list[S3Storage] = []

    def make(dsn: str) -> Flask:
        app = make_app(DEFAULT_STORAGE_DSN=dsn)
        storages.append(app.config["MEDIA_STORAGE"])
        return app

    yield make
    for storage in storages:
        storage.client.close()


@pytest.fixture
def dsn(s3_storage: S3Storage) -> str:
    return f"s3://key:secret@{s3_storage.bucket}/dir?endpoint={quote(s3_storage.endpoint, safe='')}"


def test_application_can_use_the_storage(make_app: MakeApp, dsn: str) -> None:
    app = make_app(dsn)
    assert app.test_client().get("/readyz").text == "database: ok\nmedia: ok\n"
    outcome = app.test_cli_runner().invoke(args=["check"])
    assert "a file was written, read and deleted" in outcome.stdout


@pytest.mark.parametrize("query", ["", "&qs_auth=1", "&domain=cdn.example", "&domain=c&qs_auth=1"])
def test_pages_may_show_media(make_app: MakeApp, dsn: str, query: str) -> None:
    app = make_app(dsn + query)
    policy = app.test_client().get("/tests/page").headers["Content-Security-Policy"].split("; ")
    with app.app_context():
        host = urlsplit(media.url("a")).netloc
    assert f"img-src 'self' {host}" in policy
    assert f"media-src 'self' {host}" in policy


class Sink(BaseHTTPRequestHandler):
    """Reads what is put and forgets it, has one large file to get, and tells of no file."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        missing = not self.path.endswith("secret")
        self.answer(HTTPStatus.NOT_FOUND if missing else HTTPStatus.FORBIDDEN)

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        assert left == 32 * MB
        while left:
            left -= len(self.rfile.read(min(left, 2**16)))
        self.answer(HTTPStatus.OK)

    def do_GET(self) -> None:
        self.answer(HTTPStatus.OK, 32 * MB)
        for _ in range(32 * MB // 2**16):
            self.wfile.write(bytes(2**16))

    def answer(self, status: HTTPStatus, length: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[S3Storage]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        storage = S3Storage(bucket="b", endpoint=endpoint, access_key="key", secret_key="secret")
        storage.exists("a")  # boto3 loads a lot on its first use.
        yield storage
        storage.client.close()
        server.shutdown()


@pytest.mark.parametrize("seekable", [True, False], ids=["seekable", "not-seekable"])
def test_memory_stays_flat_while_saving(
    sink: S3Storage, peak_memory: PeakMemory, tmp_path: Path, *, seekable: bool
) -> None:
    with (tmp_path / "large").open("xb+") as file:
        file.truncate(32 * MB)
        sink.save("large", file if seekable else zeros(32 * MB))
    assert peak_memory() < 8 * MB


def test_memory_stays_flat_while_opening(sink: S3Storage, peak_memory: PeakMemory) -> None:
    size = 0
    with sink.open("large") as file:
        while data := file.read(2**16):
            size += len(data)
    assert size == 32 * MB
    assert peak_memory() < 8 * MB


def test_file_that_may_not_be_seen_is_not_missing(sink: S3Storage) -> None:
    with pytest.raises(ClientError, match="403"):
        sink.exists("secret")
