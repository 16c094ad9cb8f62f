"""The database: SQLAlchemy models, sessions and migrations.

A model derives from Base. https://flask-sqlalchemy.readthedocs.io/ tells the rest.
"""

import enum
import math
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    URL,
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
{% if cookiecutter.database == 'mysql' %}
    Table,
{% endif %}
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
{% if cookiecutter.database == 'mysql' %}
from sqlalchemy.dialects.mysql import DATETIME
{% endif %}
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry

# In memory, for a process that has no database, such as one that Divio runs to build the image.
IN_MEMORY = "sqlite://"

DRIVERS = {
{% if cookiecutter.database == 'postgres' %}
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "pgsql": "postgresql+psycopg",
    "postgis": "postgresql+psycopg",
{% else %}
    "mysql": "mysql+mysqldb",
    "mysql2": "mysql+mysqldb",
    "mysqlgis": "mysql+mysqldb",
{% endif %}
    "sqlite": "sqlite",
}

# Divio allows 60 connections to an environment, and during a deployment the old and the new
# containers run side by side: https://docs.divio.com/reference/checks-timeouts/
# Of these, the server may reserve 3 for superusers, and 3 are for commands.
CONNECTIONS = (60 - 3 - 3) // 2

# How long a connection may lie idle and be used without asking whether it is still there.
IDLE_SECONDS = 1


class Moment(TypeDecorator[datetime]):
    """A time with a zone, kept in UTC. {{ "MySQL and " if cookiecutter.database == "mysql" }}SQLite would give it back without a zone."""

{% if cookiecutter.database == 'postgres' %}
    impl = DateTime(timezone=True)
{% else %}
    # MySQL would keep whole seconds.
    impl = DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")
{% endif %}
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is not None and getattr(value, "tzinfo", None) is None:
            message = "A time needs a zone, as datetime.now(UTC) has one."
            raise ValueError(message)
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    """The base class of all models."""

    # Names for what databases name differently, so that migrations can refer to them.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    registry = registry(
        metadata=metadata,
        type_annotation_map={
            datetime: Moment,
            # The names of the members, so that another one needs no change of a type.
            enum.Enum: Enum(enum.Enum, native_enum=False, length=50),
        },
    )


db = SQLAlchemy(model_class=Base)

MIGRATIONS = Path(__file__).parent.parent / "migrations"


{% if cookiecutter.database == 'mysql' %}
@event.listens_for(Table, "after_parent_attach")
def use_utf8mb4(table: Table, _metadata: MetaData) -> None:
    """Let a table hold all of Unicode, whatever the server's default is."""
    table.kwargs.setdefault("mysql_charset", "utf8mb4")


{% endif %}
@event.listens_for(Engine, "connect")
def enforce_foreign_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Have SQLite check foreign keys, as {% if cookiecutter.database == 'postgres' %}Postgres{% else %}MySQL{% endif %} does."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA foreign_keys = ON")


def init_app(app: Flask) -> None:
    db.init_app(app)
    app.teardown_appcontext(end_session)
    with app.app_context():
        ping_idle_connections(db.engine)


def add_commands(app: Flask) -> None:
    """Add `flask db`."""
    from flask_migrate import Migrate  # noqa: PLC0415, slow and seldom needed

    Migrate(app, db, directory=str(MIGRATIONS))


def ping_idle_connections(engine: Engine) -> None:
    """Have a connection that was idle replaced if it is lost, as after a restart of the database.

    SQLAlchemy's pool_pre_ping would ask each time, which takes as long as reading a row.
    """

    @event.listens_for(engine, "checkin")
    def note_time(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        # A connection that is new has not been used.
        if time.monotonic() - record.info.get("used", math.inf) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error


def end_session(_error: BaseException | None) -> None:
    """End the session, before Flask-SQLAlchemy does, though its connection be lost.

    The answer is made by then, and an error would have the server cut it off.
    """
    try:
        db.session.remove()
    except DBAPIError:
        current_app.logger.warning("A connection in use to the database is lost.")
        db.session.remove()


def engine_url(dsn: str) -> URL:
    """Return the URL for SQLAlchemy, with the driver, of a DSN like {% if cookiecutter.database == 'postgres' %}postgres://user:password@host:5432/name{% else %}mysql://user:password@host:3306/name{% endif %}.

    Raises ValueError, which shows no part of the DSN.
    """
    message = "is no database URL. In its password /, #, ? and @ must be percent-encoded."
    try:
        url = make_url(dsn)
    except (ArgumentError, ValueError):
        raise ValueError(message) from None
    if "@" in (url.host or ""):  # the end of a password
        raise ValueError(message)
    driver = DRIVERS.get(url.get_backend_name().lower())
    if driver is None:
        message = f"has an unknown scheme. Known are {', '.join(DRIVERS)}."
        raise ValueError(message)
{% if cookiecutter.database == 'mysql' %}
    if driver != "sqlite":
        url = url.update_query_dict({"charset": "utf8mb4"})
{% endif %}
    url = url.set(drivername=driver)
    try:
        create_engine(url)  # It reads the options, and does not connect.
    except (ArgumentError, ValueError):
        message = "has a host or options that its driver cannot use."
        raise ValueError(message) from None
    return url


def engine_options(url: URL | None, *, processes: int, threads: int) -> dict[str, Any]:
    """Return SQLAlchemy's options for one of all processes of the environment, and its threads."""
    if url is None or url.get_backend_name() == "sqlite":
        return {}
    return {
        # Fewer than threads, so that pages without the database are served while it holds all.
        "pool_size": min(max(1, threads // 2), CONNECTIONS // processes),
        "max_overflow": 0,
        # Seconds, like all of these. A request that gets none is answered before others time out.
        "pool_timeout": 3,
{% if cookiecutter.database == 'postgres' %}
        # A command, which nothing else limits, notices in 12 minutes that the server is gone.
        "connect_args": {"connect_timeout": 5, "keepalives_idle": 60},
{% else %}
        # In UTC, which NOW() and the like then give.
        "connect_args": {"connect_timeout": 5, "init_command": "SET time_zone = '+00:00'"},
{% endif %}
        # A firewall in between may close connections that are older.
        "pool_recycle": 300,
    }
