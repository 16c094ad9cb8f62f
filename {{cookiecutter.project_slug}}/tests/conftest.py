"""Fixtures. The tests run on SQLite in memory, or on the database that TEST_DATABASE_URL names.

That is not DATABASE_URL, because the tests drop all tables, and you may develop with that one.
"""

import io
import logging
import os
import tracemalloc
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData

from {{ cookiecutter.package_name }} import create_app
from {{ cookiecutter.package_name }}.database import add_commands, db


@pytest.fixture
def make_app() -> Iterator[Callable[..., Flask]]:
    """Return a function that makes an application from these environment variables."""
    apps = []

    def make(**environ: str) -> Flask:
        app = create_app({"DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""), **environ})
        add_commands(app)
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()
    # The handler of an application writes to the stream that pytest closes after the test.
    logging.getLogger().handlers.clear()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


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


class Zeros(io.RawIOBase):
    """A stream of that many bytes, which cannot be sought."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(self.left, len(buffer))
        buffer[:count] = bytes(count)
        self.left -= count
        return count


@pytest.fixture
def zeros() -> Callable[[int], BinaryIO]:
    """Return a function that makes a stream of that many bytes, which cannot be sought."""
    return lambda size: cast("BinaryIO", io.BufferedReader(Zeros(size)))


@pytest.fixture
def peak_memory() -> Iterator[Callable[[], int]]:
    """Return a function that tells how many bytes were in use at once since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
