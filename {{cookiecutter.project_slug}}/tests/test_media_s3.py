import io
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from flask import Flask
from moto.server import ThreadedMotoServer

from {{ cookiecutter.package_name }} import config
from {{ cookiecutter.package_name }} import media as module
from {{ cookiecutter.package_name }}.media import s3

MB = 2**20

NAME = "a b/\xfc+c.txt"
QUOTED = "a%20b/%C3%BC%2Bc.txt"

# What follows key:secret@ in a DSN; bucket, endpoint, region, addressing style and public URL.
VECTORS = [
    (
        "ex.divio-media.org.s3.amazonaws.com/?auth=s3v4&domain=ex.divio-media.org",
        ("ex.divio-media.org", "https://s3.amazonaws.com/", "", "path"),
        "https://ex.divio-media.org/",
    ),
    (
        "ex.aldryn-media.io.s3-eu-central-1.amazonaws.com/?domain=ex.aldryn-media.io",
        ("ex.aldryn-media.io", "https://s3-eu-central-1.amazonaws.com/", "eu-central-1", "path"),
        "https://ex.aldryn-media.io/",
    ),
    (
        "bkt.s3.eu-central-1.amazonaws.com/?auth=s3v4&domain=cdn.example.com",
        ("bkt", "https://s3.eu-central-1.amazonaws.com/", "eu-central-1", "auto"),
        "https://cdn.example.com/",
    ),
    (
        "ex-765.sos-ch-dk-2.exo.io/?auth=s3",
        ("ex-765", "https://sos-ch-dk-2.exo.io/", "ch-dk-2", "auto"),
        "https://sos-ch-dk-2.exo.io/ex-765/",
    ),
    (
        "bkt.s3.amazonaws.com/prefix/dir?domain=cdn.example.com",
        ("bkt", "https://s3.amazonaws.com/", "", "auto"),
        "https://cdn.example.com/prefix/dir/",
    ),
    (
        "bkt.s3.amazonaws.com/prefix/dir/?url=https%3A%2F%2Fcdn.example.com%2Fm%2F",
        ("bkt", "https://s3.amazonaws.com/", "", "auto"),
        "https://cdn.example.com/prefix/dir/",
    ),
    (
        "my.bkt.fra1.digitaloceanspaces.com/",
        ("my.bkt", "https://fra1.digitaloceanspaces.com/", "", "path"),
        "https://fra1.digitaloceanspaces.com/my.bkt/",
    ),
    (
        "bkt-s3-x.s3.amazonaws.com/",
        ("bkt-s3-x", "https://s3.amazonaws.com/", "", "auto"),
        "https://s3.amazonaws.com/bkt-s3-x/",
    ),
    (
        "foo.s3-bar.baz.s3.eu-west-1.amazonaws.com/",
        ("foo", "https://s3-bar.baz.s3.eu-west-1.amazonaws.com/", "bar", "auto"),
        "https://s3-bar.baz.s3.eu-west-1.amazonaws.com/foo/",
    ),
    (
        "my.bkt/dir?endpoint=http%3A%2F%2F127.0.0.1%3A9000&region_name=here",
        ("my.bkt", "http://127.0.0.1:9000", "here", "path"),
        "http://127.0.0.1:9000/my.bkt/dir/",
    ),
]


def from_dsn(rest: str) -> s3.S3Storage:
    storage = module.from_dsn(f"s3://key:secret@{rest}")
    assert isinstance(storage, s3.S3Storage)
    return storage


def variant(storage: s3.S3Storage, **changes: Any) -> s3.S3Storage:  # noqa: ANN401
    """Return a changed copy that shares the client, because boto3 takes long to make one."""
    other = replace(storage, **changes)
    vars(other)["client"] = storage.client
    return other


# DSNs


@pytest.mark.parametrize(("rest", "expected", "base_url"), VECTORS, ids=[row[0] for row in VECTORS])
def test_dsn(rest: str, expected: tuple[str, str, str, str], base_url: str) -> None:
    storage = from_dsn(rest)
    style = cast("Any", storage.client.meta.config).s3["addressing_style"]
    assert (storage.bucket, storage.endpoint, storage.region, style) == expected
    assert storage.url(NAME) == base_url + QUOTED

    # Where no other host is for the public, the client has to find the file at the same URL.
    signed = variant(storage, signed=True, public_url="").url(NAME)
    assert signed.partition("?")[0] == replace(storage, public_url="").url(NAME)


@pytest.mark.parametrize(
    ("rest", "attribute", "expected"),
    [
        ("bkt.s3.amazonaws.com", "acl", "public-read"),
        ("bkt.s3.amazonaws.com?acl=", "acl", ""),
        ("bkt.s3.amazonaws.com?acl=private", "acl", "private"),
        ("bkt.s3.amazonaws.com", "auth", ""),
        ("bkt.s3.amazonaws.com?auth=", "auth", ""),
        ("bkt.s3.amazonaws.com?auth=s3", "auth", "s3"),
        ("bkt.s3.amazonaws.com?auth=s3v4", "auth", "s3v4"),
        ("bkt.s3.amazonaws.com", "signed", False),
        ("bkt.s3.amazonaws.com?qs_auth=True", "signed", True),
        ("bkt.s3.amazonaws.com?qs_auth=1", "signed", True),
        ("bkt.s3.amazonaws.com?qs_auth=off", "signed", False),
        ("bkt.s3.amazonaws.com?addressing_style=virtual", "addressing_style", "virtual"),
        ("bkt.s3.amazonaws.com/a/b", "prefix", "a/b/"),
        ("bkt.s3.amazonaws.com/a/b/", "prefix", "a/b/"),
        ("bkt.s3.amazonaws.com/", "prefix", ""),
        ("bkt.s3.amazonaws.com?domain=cdn.example", "public_url", "https://cdn.example"),
        ("bkt.s3.amazonaws.com?url=http%3A%2F%2Fcdn.example", "public_url", "http://cdn.example"),
        ("bkt.sos-ch-dk-2.exo.io?region_name=there", "region", "there"),
        ("bkt.s3.dualstack.eu-west-1.amazonaws.com", "region", "eu-west-1"),
        ("bkt.s3.eu-west-1.amazonaws.com?region_name=there", "region", "eu-west-1"),
    ],
)
def test_dsn_sets(rest: str, attribute: str, expected: object) -> None:
    assert getattr(from_dsn(rest), attribute) == expected


def test_key_and_secret_are_percent_decoded() -> None:
    storage = module.from_dsn("s3://K%2BEY:se%2Fcr%2Bet%40@bkt.s3.amazonaws.com/")
    assert isinstance(storage, s3.S3Storage)
    assert (storage.access_key, storage.secret_key) == ("K+EY", "se/cr+et@")


def test_secret_is_not_shown() -> None:
    assert "secret" not in repr(from_dsn("bkt.s3.amazonaws.com/")).replace("secret_key", "")


def test_client_has_a_region_though_the_dsn_has_none() -> None:
    assert from_dsn("my.bkt.fra1.digitaloceanspaces.com").client.meta.region_name == "us-east-1"


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("s3://key:top/secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:top#secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:top?secret@bkt.s3.amazonaws.com/", "must be percent-encoded"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com:443/", "has a port"),
        ("s3://key:topsecret@minio:9000/bkt", "has a port"),
        ("s3://key:topsecret@bkt/", "names no bucket and service"),
        ("s3://key:topsecret@s3.amazonaws.com/bkt", "names no bucket and service"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?auth=s3v5", "has an unknown auth"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?addressing_style=x", "unknown addressing_style"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?url=%2Fmedia%2F", "url that is no whole URL"),
        ("s3://key:topsecret@bkt/?endpoint=minio:9000", "endpoint that is no whole URL"),
        ("s3://key:topsecret@bkt/?endpoint=http%3A%2F%2F%5Bx", "endpoint that is no whole URL"),
        ("s3://key:topsecret@bkt.s3.amazonaws.com/?domain=a%2Fb", "domain that is no host name"),
        ("s3://key:topsecret@/?endpoint=http%3A%2F%2Fminio", "names no bucket"),
        ("s4://key:topsecret@bkt.s3.amazonaws.com/", "has an unknown scheme"),
    ],
)
def test_unusable_dsn_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        module.from_dsn(dsn)
    assert "secret@" not in str(caught.value)
    assert "top" not in str(caught.value)
    assert caught.value.__cause__ is None


# The variables that Divio sets beside the DSN

SPLIT = {
    "DEFAULT_STORAGE_BUCKET": "bkt.divio-media.org",
    "DEFAULT_STORAGE_ACCESS_KEY_ID": "key",
    "DEFAULT_STORAGE_SECRET_ACCESS_KEY": "se/cr%2Bet",
    "DEFAULT_STORAGE_REGION": "eu-central-1",
    "DEFAULT_STORAGE_CUSTOM_DOMAIN": "bkt.divio-media.org",
}


def test_split_variables_make_a_storage() -> None:
    storage = config.load(SPLIT)["MEDIA_STORAGE"]
    assert storage == s3.S3Storage(
        bucket="bkt.divio-media.org",
        access_key="key",
        secret_key="se/cr%2Bet",
        endpoint="https://s3.eu-central-1.amazonaws.com",
        region="eu-central-1",
        public_url="https://bkt.divio-media.org",
    )
    assert storage.url(NAME) == f"https://bkt.divio-media.org/{QUOTED}"


def test_split_variables_may_name_another_service() -> None:
    environ = SPLIT | {
        "DEFAULT_STORAGE_ENDPOINT_URL": "https://sos-ch-dk-2.exo.io",
        "DEFAULT_STORAGE_CUSTOM_DOMAIN": " ",
    }
    storage = config.load(environ)["MEDIA_STORAGE"]
    assert storage.url("a") == "https://sos-ch-dk-2.exo.io/bkt.divio-media.org/a"


def test_without_a_bucket_the_split_variables_make_no_storage() -> None:
    assert config.load(SPLIT | {"DEFAULT_STORAGE_BUCKET": " "})["MEDIA_STORAGE"] is None


def test_dsn_wins_over_the_split_variables() -> None:
    dsn = "s3://key:secret@other.s3.amazonaws.com/"
    assert config.load(SPLIT | {"DEFAULT_STORAGE_DSN": dsn})["MEDIA_STORAGE"].bucket == "other"


# Files, in a service that runs beside the tests


@pytest.fixture(scope="session")
def service() -> Iterator[s3.S3Storage]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    storage = from_dsn(f"bkt/dir?endpoint={quote(endpoint, safe='')}")
    yield storage
    storage.client.close()
    server.stop()


@pytest.fixture
def storage(service: s3.S3Storage) -> s3.S3Storage:
    """Return a storage with a bucket of its own."""
    storage = variant(service, bucket=f"bkt-{secrets.token_hex(8)}")
    storage.client.create_bucket(Bucket=storage.bucket)
    return storage


def stream(data: bytes = b"data") -> BinaryIO:
    return io.BytesIO(data)


def read(storage: module.Storage, name: str) -> bytes:
    with storage.open(name) as file:
        return file.read()


def test_file_comes_back(storage: s3.S3Storage) -> None:
    name = storage.save("photos/../\xfc 1.jpg", stream(b"\0\xff"))
    assert name == "photos/\xfc_1.jpg"
    assert storage.exists(name)
    assert read(storage, name) == b"\0\xff"


def test_key_starts_with_the_prefix(storage: s3.S3Storage) -> None:
    storage.save("a/b", stream())
    found = storage.client.list_objects_v2(Bucket=storage.bucket)["Contents"]
    assert [item["Key"] for item in found] == ["dir/a/b"]


def test_browser_gets_the_file_and_its_type_at_the_url(storage: s3.S3Storage) -> None:
    name = storage.save("a+b/\xfc.html", stream(b"<p>"))
    with urlopen(storage.url(name)) as response:
        assert response.read() == b"<p>"
        assert response.headers["Content-Type"] == "text/html"


def test_file_of_unknown_type(storage: s3.S3Storage) -> None:
    with urlopen(storage.url(storage.save("a", stream()))) as response:
        assert response.headers["Content-Type"] == "binary/octet-stream"


@pytest.mark.parametrize(("acl", "public"), [("public-read", True), ("", False)])
def test_acl(storage: s3.S3Storage, acl: str, *, public: bool) -> None:
    name = variant(storage, acl=acl).save("a", stream())
    grants = storage.client.get_object_acl(Bucket=storage.bucket, Key=f"dir/{name}")["Grants"]
    assert ("READ" in {grant["Permission"] for grant in grants}) is public


def test_signed_url(storage: s3.S3Storage) -> None:
    signed = variant(storage, signed=True)
    url = signed.url(signed.save("a b/\xfc.txt", stream(b"private")))
    assert url.startswith(f"{storage.base_url}a_b/%C3%BC.txt?")
    assert "Signature" in urlsplit(url).query
    with urlopen(url) as response:
        assert response.read() == b"private"


def test_missing_file(storage: s3.S3Storage) -> None:
    assert not storage.exists("a")
    storage.delete("a")
    with pytest.raises(FileNotFoundError):
        storage.open("a")


def test_delete(storage: s3.S3Storage) -> None:
    name = storage.save("a", stream())
    storage.delete(name)
    assert not storage.exists(name)


def test_list_is_sorted_and_starts_with_the_prefix(storage: s3.S3Storage) -> None:
    assert list(storage.list()) == []
    storage.client.put_object(Bucket=storage.bucket, Key="outside", Body=b"")
    for name in ("b", "a/c", "a/b", "ab"):
        storage.save(name, stream())
    assert list(storage.list()) == ["a/b", "a/c", "ab", "b"]
    assert list(storage.list("a")) == ["a/b", "a/c", "ab"]
    assert list(storage.list("a/")) == ["a/b", "a/c"]


def test_taken_name_is_not_overwritten(storage: s3.S3Storage) -> None:
    first = storage.save("a/cat.jpg", stream(b"first"))
    second = storage.save("a/cat.jpg", stream(b"second"))
    assert second.startswith("a/cat_")
    assert second.endswith(".jpg")
    assert [read(storage, name) for name in (first, second)] == [b"first", b"second"]


def test_virtual_host_is_in_the_urls() -> None:
    storage = from_dsn("bkt.s3.eu-central-1.amazonaws.com/?addressing_style=virtual&qs_auth=true")
    assert storage.base_url == "https://bkt.s3.eu-central-1.amazonaws.com/"
    assert storage.url("a.txt").startswith("https://bkt.s3.eu-central-1.amazonaws.com/a.txt?")


def test_name_that_is_taken_during_the_upload_is_not_overwritten(
    storage: s3.S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.save("a.txt", stream(b"first"))
    monkeypatch.setattr(s3.S3Storage, "exists", lambda _self, _name: False)

    name = storage.save("a.txt", stream(b"second"))

    assert name != "a.txt"
    assert read(storage, "a.txt") == b"first"
    assert read(storage, name) == b"second"


def test_taken_name_is_overwritten_when_asked(storage: s3.S3Storage) -> None:
    storage.save("cat.jpg", stream(b"first"))
    assert storage.save("cat.jpg", stream(b"second"), overwrite=True) == "cat.jpg"
    assert read(storage, "cat.jpg") == b"second"
    assert list(storage.list()) == ["cat.jpg"]


def test_only_what_is_left_of_a_stream_is_saved(storage: s3.S3Storage) -> None:
    data = stream(b"header body")
    data.seek(len(b"header "))
    assert read(storage, storage.save("a", data)) == b"body"


def test_stream_that_cannot_be_sought_is_saved(
    storage: s3.S3Storage, zeros: Callable[[int], BinaryIO]
) -> None:
    assert read(storage, storage.save("a", zeros(MB + 1))) == bytes(MB + 1)


class Interrupted(io.BytesIO):
    """A stream that breaks off after its first part."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            message = "connection lost"
            raise OSError(message)
        return super().read(min(size or MB, MB) if size != -1 else MB)


def test_half_a_file_is_never_seen(storage: s3.S3Storage) -> None:
    with pytest.raises(OSError, match="connection lost"):
        storage.save("a", Interrupted(bytes(3 * MB)))
    assert not storage.exists("a")


@pytest.mark.parametrize("method", ["open", "delete", "exists", "url"])
@pytest.mark.parametrize("name", ["", "..", "../a", "/a", "a//b", "a\\b", "a\0b"])
def test_name_that_leaves_the_storage_is_refused(
    storage: s3.S3Storage, method: str, name: str
) -> None:
    with pytest.raises(ValueError, match="is not the name of a media file"):
        getattr(storage, method)(name)


def test_check_passes(storage: s3.S3Storage) -> None:
    storage.check()


@pytest.mark.parametrize("method", ["check", "list"])
def test_missing_bucket_is_an_error(storage: s3.S3Storage, method: str) -> None:
    other = variant(storage, bucket="missing")
    with pytest.raises(ClientError) as caught:
        list(getattr(other, method)())
    assert "secret" not in str(caught.value)


# The application


@pytest.fixture
def make_app(make_app: Callable[..., Flask]) -> Iterator[Callable[..., Flask]]:
    storages: list[s3.S3Storage] = []

    def make(dsn: str) -> Flask:
        app = make_app(DEFAULT_STORAGE_DSN=dsn)
        storages.append(app.config["MEDIA_STORAGE"])
        return app

    yield make
    for storage in storages:
        storage.client.close()


@pytest.fixture
def dsn(storage: s3.S3Storage) -> str:
    return f"s3://key:secret@{storage.bucket}/dir?endpoint={quote(storage.endpoint, safe='')}"


def test_application_can_use_the_storage(make_app: Callable[..., Flask], dsn: str) -> None:
    app = make_app(dsn)
    assert app.test_client().get("/readyz").text == "database: ok\nmedia: ok\n"
    outcome = app.test_cli_runner().invoke(args=["check"])
    assert "a file was written, read and deleted" in outcome.stdout


def test_application_is_not_ready_without_the_bucket(
    make_app: Callable[..., Flask], dsn: str
) -> None:
    response = make_app(dsn.replace("bkt-", "missing-")).test_client().get("/readyz")
    assert (response.status_code, response.text) == (503, "database: ok\nmedia: failed\n")


@pytest.mark.parametrize("query", ["", "&qs_auth=1", "&domain=cdn.example", "&domain=c&qs_auth=1"])
def test_pages_may_show_media(make_app: Callable[..., Flask], dsn: str, query: str) -> None:
    app = make_app(dsn + query)
    policy = app.test_client().get("/").headers["Content-Security-Policy"].split("; ")
    with app.app_context():
        host = urlsplit(module.media.url("a")).netloc
    assert f"img-src 'self' {host}" in policy
    assert f"media-src 'self' {host}" in policy


# A service that keeps nothing


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
def sink() -> Iterator[s3.S3Storage]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        storage = s3.S3Storage(bucket="bkt", endpoint=f"http://127.0.0.1:{server.server_port}")
        storage = replace(storage, access_key="key", secret_key="secret")
        storage.exists("a")  # boto3 loads a lot on its first use.
        yield storage
        storage.client.close()
        server.shutdown()


@pytest.mark.parametrize("seekable", [True, False], ids=["seekable", "not-seekable"])
def test_memory_stays_flat_while_saving(
    sink: s3.S3Storage,
    zeros: Callable[[int], BinaryIO],
    peak_memory: Callable[[], int],
    tmp_path: Path,
    *,
    seekable: bool,
) -> None:
    with (tmp_path / "large").open("xb+") as file:
        file.truncate(32 * MB)
        sink.save("large", file if seekable else zeros(32 * MB))
    assert peak_memory() < 8 * MB


def test_memory_stays_flat_while_opening(
    sink: s3.S3Storage, peak_memory: Callable[[], int]
) -> None:
    size = 0
    with sink.open("large") as file:
        while data := file.read(2**16):
            size += len(data)
    assert size == 32 * MB
    assert peak_memory() < 8 * MB


def test_file_that_may_not_be_seen_is_not_missing(sink: s3.S3Storage) -> None:
    with pytest.raises(ClientError, match="403"):
        sink.exists("secret")
