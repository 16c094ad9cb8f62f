"""Fixtures, and what several tests import: "from conftest import MakeApp".

The tests run on SQLite in memory, or on the database that TEST_DATABASE_URL names. That is not
DATABASE_URL, because the tests drop all tables, and you may develop with that one.
"""

import io
import logging
import os
import secrets
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

from my_flask_app import create_app, wsgi
from my_flask_app.database import add_commands, db
from my_flask_app.media import Storage
from my_flask_app.media.local import LocalStorage
from my_flask_app.media.s3 import S3Storage

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
    return "postgres://user:topsecret@127.0.0.1:1/name"


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
