"""Fixtures, and what several tests import: "from conftest import MakeApp".

The tests run on SQLite in memory, or on the database that TEST_DATABASE_URL names. That is not
DATABASE_URL, because the tests drop all tables, and you may develop with that one.
"""

import io
import logging
import os
{% if cookiecutter.media_storage != 'local' %}
import secrets
{% endif %}
{% if cookiecutter.media_storage == 'azure' %}
import subprocess
import sys
{% endif %}
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
{% if cookiecutter.media_storage != 'local' %}
from dataclasses import replace
{% endif %}
from pathlib import Path
from typing import {{ "Any, " if cookiecutter.media_storage == 's3' }}BinaryIO, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

from {{ cookiecutter.package_name }} import create_app, wsgi
from {{ cookiecutter.package_name }}.database import add_commands, db
from {{ cookiecutter.package_name }}.media import Storage{{ ", from_dsn" if cookiecutter.media_storage == 'azure' }}
{% if cookiecutter.media_storage == 'azure' %}
from {{ cookiecutter.package_name }}.media.azure import AzureStorage
{% endif %}
from {{ cookiecutter.package_name }}.media.local import LocalStorage
{% if cookiecutter.media_storage == 's3' %}
from {{ cookiecutter.package_name }}.media.s3 import S3Storage
{% endif %}

MB = 2**20

TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL", "")
needs_server = pytest.mark.skipif(not TEST_DATABASE_URL, reason="TEST_DATABASE_URL is not set")

# The types of fixtures that are functions.
MakeApp = Callable[..., Flask]
PeakMemory = Callable[[], int]

# The views of the tests, which need none of yours. A module of tests adds its own.
views = Blueprint("tests", __name__, url_prefix="/tests")


@views.get("/page")
def page() -> str:
    return "page"


@views.get("/break/<message>")
def fail(message: str) -> str:
    raise RuntimeError(message)


def in_own_context(app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Give each request a `flask.g` and a `db.session` of its own.

    Otherwise Flask would take those of the test, where the fixture `database` has a context open.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with app.app_context():
            return application(environ, start_response)

    return answer


@pytest.fixture
def make_app() -> Iterator[MakeApp]:
    """Return a function that makes an application from these environment variables."""
    apps = []

    def make(**environ: str) -> Flask:
        app = create_app({"DATABASE_URL": TEST_DATABASE_URL, **environ})
        app.testing = True  # What a view raises is raised in the test.
        app.register_blueprint(views)
        add_commands(app)
        wsgi.surround(app, in_own_context)
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()
    # The handler of an application writes to the stream that pytest closes after the test.
    logging.getLogger().handlers.clear()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def unreachable_database() -> str:
    """Return the URL of a server at a port where nothing listens. Its password is topsecret."""
    return "{{ cookiecutter.database }}://user:topsecret@127.0.0.1:1/name"


@pytest.fixture
def database(app: Flask) -> Iterator[SQLAlchemy]:
    """Return the database of `app` in an application context. It has no tables but the test's."""
    with app.app_context():
        drop_all_tables()
        yield db
        db.session.remove()
        drop_all_tables()


def drop_all_tables() -> None:
    tables = MetaData()
    tables.reflect(db.engine)
    tables.drop_all(db.engine)


@pytest.fixture
def local_storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media", "/media/")


{% if cookiecutter.media_storage == 's3' %}
@pytest.fixture(scope="session")
def s3_service() -> Iterator[S3Storage]:
    """Run a service beside the tests, and return a storage in it that has no bucket."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415, slow and not always needed

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    storage = S3Storage(
        bucket="missing", endpoint=endpoint, access_key="key", secret_key="secret", prefix="dir/"
    )
    yield storage
    storage.client.close()
    server.stop()


@pytest.fixture
def s3_storage(s3_service: S3Storage) -> S3Storage:
    """Return a storage with a bucket of its own."""
    storage = variant(s3_service, bucket=f"bkt-{secrets.token_hex(8)}")
    storage.client.create_bucket(Bucket=storage.bucket)
    return storage


def variant(storage: S3Storage, **changes: Any) -> S3Storage:  # noqa: ANN401
    """Return a changed copy that shares the client, because boto3 takes long to make one."""
    other = replace(storage, **changes)
    vars(other)["client"] = storage.client
    return other


{% elif cookiecutter.media_storage == 'azure' %}
@pytest.fixture(scope="session")
def azure_service() -> Iterator[AzureStorage]:
    """Return a storage without a container, on TEST_AZURE_DSN's service or on a stand-in."""
    dsn = os.environ.get("TEST_AZURE_DSN", "")
    command = [sys.executable, str(Path(__file__).with_name("azure_service.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stand_in:
        assert stand_in.stdout
        port = stand_in.stdout.readline().strip()
        dsn = dsn or f"az://test:c2VjcmV0@/missing?endpoint=http://127.0.0.1:{port}/test"
        storage = from_dsn(dsn)
        assert isinstance(storage, AzureStorage)
        yield storage
        storage.client.close()
        stand_in.terminate()


@pytest.fixture
def azure_storage(azure_service: AzureStorage) -> Iterator[AzureStorage]:
    """Return a storage with a container of its own, whose blobs the public may read."""
    storage = replace(azure_service, container=f"media-{secrets.token_hex(8)}")
    storage.client.create_container(public_access="blob")
    yield storage
    storage.client.close()


{% endif %}
def read(storage: Storage, name: str) -> bytes:
    with storage.open(name) as file:
        return file.read()


class Zeros(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        count = min(size, self.left) if size >= 0 else self.left
        self.left -= count
        return bytes(count)


def zeros(size: int) -> BinaryIO:
    """Return a stream of that many bytes, which cannot be sought."""
    return cast("BinaryIO", Zeros(size))


@pytest.fixture
def peak_memory() -> Iterator[PeakMemory]:
    """Return a function that tells how many bytes were in use at once since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
