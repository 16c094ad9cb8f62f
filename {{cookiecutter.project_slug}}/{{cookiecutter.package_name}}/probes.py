"""Probes: can what the application depends on be used? `flask check` runs all of them.

A probe returns a detail, or raises whatever stands in the way.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from sqlalchemy import inspect, text

from .database import IN_MEMORY, MIGRATIONS, db
from .errors import cause
from .media import media


@dataclass(frozen=True)
class Outcome:
    """What a probe found. Its detail is for the owner, not for the public."""

    name: str
    ok: bool
    detail: str


def run(*names: str) -> list[Outcome]:
    """Run these of the PROBES, in an application context."""
    return [outcome(name, PROBES[name]) for name in names]


def outcome(name: str, probe: Callable[[], str]) -> Outcome:
    try:
        return Outcome(name, ok=True, detail=probe())
    except Exception as error:  # noqa: BLE001
        return Outcome(name, ok=False, detail=cause(error))


def configuration() -> str:
    return "usable"  # With others there is no application to ask.


def database() -> str:
    url = str(current_app.config["SQLALCHEMY_DATABASE_URI"])
    if current_app.config["DEPLOYED"] and url == IN_MEMORY:
        message = "DATABASE_URL is not set, so what is saved is lost"
        raise RuntimeError(message)
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return f"{db.engine.dialect.name} answers"


def migrations() -> str:
    from alembic.script import ScriptDirectory  # noqa: PLC0415, slow and seldom needed

    known = set(ScriptDirectory(str(MIGRATIONS)).get_heads())
    with db.engine.connect() as connection:
        applied = set()
        if inspect(connection).has_table("alembic_version"):
            applied = set(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if applied != known:
        message = "the tables are not up to date: run flask db upgrade"
        raise RuntimeError(message)
    return "all applied"


def media_storage() -> str:
    if current_app.config["MEDIA_STORAGE"] is None:
        return "not configured: DEFAULT_STORAGE_DSN is not set"
    media.check()
    return "can be reached"


def upload() -> str:
    if current_app.config["MEDIA_STORAGE"] is None:
        return media_storage()
    name = media.save("flask-check.txt", io.BytesIO(b"written by flask check"))
    try:
        with media.open(name) as file:
            if file.read() != b"written by flask check":
                message = f"{name} was read back with other content"
                raise RuntimeError(message)
    finally:
        media.delete(name)
    return "a file was written, read and deleted"


def static_files() -> str:
    paths = [path for path in Path(str(current_app.static_folder)).rglob("*") if path.is_file()]
    files = [path for path in paths if path.suffix not in {".br", ".gz"}]
    compressed = sum(path.suffix == ".br" for path in paths)
    return f"{len(files)} files, {compressed} of them compressed"


PROBES: dict[str, Callable[[], str]] = {
    "settings": configuration,
    "database": database,
    "migrations": migrations,
    "media": media_storage,
    "upload": upload,
    "static files": static_files,
}
