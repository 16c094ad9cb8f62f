import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from types import SimpleNamespace
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import generate_container_sas
from conftest import MB, MakeApp, PeakMemory, read, zeros
from flask import Flask

from {{ cookiecutter.package_name }}.media import from_dsn, media
from {{ cookiecutter.package_name }}.media.azure import PART, AzureStorage


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
@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 2 * PART + 1])
def test_browser_gets_the_file_at_the_url(
    azure_storage: AzureStorage, name: str, content_type: str, disposition: str | None, size: int
) -> None:
    storage = replace(azure_storage, max_age=60)
    with storage.client, urlopen(storage.url(storage.save(name, zeros(size)))) as response:
        assert response.read() == bytes(size)
        assert response.headers["Cache-Control"] == "public, max-age=60"
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == disposition


@pytest.mark.parametrize("size", [1, PART + 1])
def test_large_file_has_its_name_alone_too(azure_storage: AzureStorage, size: int) -> None:
    first, second = (azure_storage.save("a.txt", zeros(size + extra)) for extra in range(2))
    assert [len(read(azure_storage, name)) for name in (first, second)] == [size, size + 1]


def test_other_conflict_than_a_taken_name_is_an_error(azure_storage: AzureStorage) -> None:
    def upload_blob(*_: object, **__: object) -> None:
        error = ResourceExistsError("The specified container is being deleted.")
        vars(error)["error_code"] = "ContainerBeingDeleted"
        raise error

    storage = replace(azure_storage)
    vars(storage)["client"] = SimpleNamespace(upload_blob=upload_blob)
    with pytest.raises(ResourceExistsError, match="is being deleted"):
        storage.save("a", BytesIO(b"data"))


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.check(),
        lambda storage: list(storage.list()),
        lambda storage: storage.save("a", BytesIO(b"data")),
    ],
    ids=["check", "list", "save"],
)
def test_missing_container_is_an_error(
    azure_service: AzureStorage, use: Callable[..., object]
) -> None:
    with pytest.raises(ResourceNotFoundError):
        use(azure_service)


def test_file_that_may_not_be_seen_is_not_missing(azure_service: AzureStorage) -> None:
    private = replace(azure_service, container=f"media-{token_hex(8)}")
    with private.client:
        private.client.create_container()
    storage = replace(private, sas="sv=2023-11-03&sr=c&sp=r&sig=wrong")
    with storage.client, pytest.raises(HttpResponseError) as caught:
        storage.exists("a")
    assert caught.value.status_code == 403
    assert "wrong" not in str(caught.value)


def dsn_of(storage: AzureStorage, secret: str) -> str:
    endpoint = quote(storage.endpoint, safe="")
    host = f"{quote(secret, safe='')}@/{storage.container}?endpoint={endpoint}"
    return f"az://{storage.account}:{host}"


@pytest.fixture(params=["key", "sas"])
def dsn(request: pytest.FixtureRequest, azure_storage: AzureStorage) -> str:
    """Return the DSN of the container, with each kind of secret in turn."""
    if request.param == "key":
        return dsn_of(azure_storage, azure_storage.key)
    token = generate_container_sas(
        azure_storage.account,
        azure_storage.container,
        account_key=azure_storage.key,
        permission="rwdl",
        expiry=datetime.now(UTC) + timedelta(minutes=5),
    )
    return dsn_of(azure_storage, base64.b64encode(token.encode()).decode())


def test_all_can_be_done_with_either_secret(dsn: str) -> None:
    storage = from_dsn(dsn)
    assert isinstance(storage, AzureStorage)
    with storage.client:
        storage.check()
        names = [storage.save("a.txt", BytesIO(b"data")) for _ in range(2)]
        assert storage.save("a.txt", BytesIO(b"new"), overwrite=True) == "a.txt"
        assert [file.name for file in storage.list("a")] == names
        storage.delete(names[1])
        assert [storage.exists(name) for name in names] == [True, False]
        with urlopen(storage.url("a.txt")) as response:
            assert response.read() == read(storage, "a.txt") == b"new"


@pytest.fixture
def make_app(make_app: MakeApp) -> Iterator[MakeApp]:
    storages: list[AzureStorage] = []

    def make(dsn: str) -> Flask:
        app = make_app(DEFAULT_STORAGE_DSN=dsn)
        storages.append(app.config["MEDIA_STORAGE"])
        return app

    yield make
    for storage in storages:
        storage.client.close()


def test_application_can_use_the_storage(
    make_app: MakeApp, dsn: str, capfd: pytest.CaptureFixture[str]
) -> None:
    app = make_app(dsn)
    assert app.test_client().get("/readyz").text == "database: ok\nmedia: ok\n"
    outcome = app.test_cli_runner().invoke(args=["check"])
    assert "a file was written, read and deleted" in outcome.stdout
    assert "x-ms-" not in capfd.readouterr().err  # no log of each request


@pytest.mark.parametrize("query", ["", "&domain=cdn.example"])
def test_pages_may_show_media(make_app: MakeApp, dsn: str, query: str) -> None:
    app = make_app(dsn + query)
    policy = app.test_client().get("/tests/page").headers["Content-Security-Policy"].split("; ")
    with app.app_context():
        host = urlsplit(media.url("a")).netloc
    assert f"img-src 'self' {host}" in policy
    assert f"media-src 'self' {host}" in policy


def test_memory_stays_flat(
    azure_storage: AzureStorage, peak_memory: PeakMemory, tmp_path: Path
) -> None:
    with (tmp_path / "large").open("xb+") as file:
        file.truncate(32 * MB)
        azure_storage.save("large", file)
    size = 0
    with azure_storage.open("large") as found:
        while data := found.read(2**16):
            size += len(data)
    assert size == 32 * MB
    assert peak_memory() < 8 * MB
