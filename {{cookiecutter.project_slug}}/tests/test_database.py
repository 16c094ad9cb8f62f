import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from conftest import TEST_DATABASE_URL, MakeApp, needs_server
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    MetaData,
    String,
    Table,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from {{ cookiecutter.package_name }}.database import Base, db, engine_options, engine_url

IDLE_SECONDS = "{{ cookiecutter.package_name }}.database.IDLE_SECONDS"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

{% if cookiecutter.database == 'postgres' %}
SCHEMES = ["postgres", "POSTGRES", "pgsql", "postgis", "postgresql+psycopg", "postgresql+asyncpg"]
DRIVER = "postgresql+psycopg"
FIXED_QUERY: dict[str, str] = {}
CONNECTION_ID = "SELECT pg_backend_pid()"
CLOSE_CONNECTION = "SELECT pg_terminate_backend({}, 5000)"
{% else %}
SCHEMES = ["mysql", "MySQL", "mysql2", "mysqlgis", "mysql+mysqldb", "mysql+pymysql"]
DRIVER = "mysql+mysqldb"
FIXED_QUERY = {"charset": "utf8mb4"}
CONNECTION_ID = "SELECT connection_id()"
CLOSE_CONNECTION = "KILL {}"
{% endif %}


class Model(DeclarativeBase):
    """Of models that are no part of the application, but named and typed as there."""

    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    registry = registry(metadata=metadata, type_annotation_map=Base.registry.type_annotation_map)


class Author(Model):
    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    seen: Mapped[datetime | None]


class Kind(Enum):
    NOVEL = "novel"
    POEMS = "poems"


class Book(Model):
    __tablename__ = "book"
    __table_args__ = (CheckConstraint("pages > 0", name="has_pages"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(100), index=True)
    pages: Mapped[int]
    kind: Mapped[Kind | None]


# On SQLite this copies the table, and drops the old one.
LENGTHEN_NAMES = """\
    with op.batch_alter_table("author") as table:
        table.alter_column("name", type_=sa.String(200), nullable=False)
"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_gets_the_installed_driver(scheme: str) -> None:
    url = engine_url(f"{scheme}://user:password@host:1234/name")
    expected = make_url(f"{DRIVER}://user:password@host:1234/name")
    assert url == expected.update_query_dict(FIXED_QUERY)


def test_parts_of_a_url_are_percent_decoded() -> None:
    url = engine_url("{{ cookiecutter.database }}://us%2Der:%2F%23%3F%40%25%2B@host/name?application=a%20b&x=1")
    assert (url.username, url.password) == ("us-er", "/#?@%+")
    assert url.query == {"application": "a b", "x": "1", **FIXED_QUERY}


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("topsecret", "is no database URL"),
        ("//user:topsecret@host/name", "is no database URL"),
        ("{{ cookiecutter.database }}://user:topsecret@host:port/name", "is no database URL"),
        ("{{ cookiecutter.database }}://user:12@topsecret@host/name", "must be percent-encoded"),
        ("oracle://user:topsecret@host/name", "has an unknown scheme"),
        ("{{ cookiecutter.database }}://host/name?plugin=topsecret", "has a host or options"),
        ("sqlite://topsecret/name", "has a host or options"),
        ("sqlite:///name?timeout=topsecret", "has a host or options"),
    ],
    ids=["no-url", "no-scheme", "port", "at-sign", "scheme", "plugin", "host-of-file", "option"],
)
def test_unusable_url_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        engine_url(dsn)
    assert "topsecret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("threads", [1, 4, 100])
@pytest.mark.parametrize("processes", [1, 2, 3, 7, 16, 27])
def test_all_processes_together_stay_within_the_connections(processes: int, threads: int) -> None:
    url = engine_url("{{ cookiecutter.database }}://user@host/name")
    options = engine_options(url, processes=processes, threads=threads)
    connections = options["pool_size"] + options["max_overflow"]
    assert 1 <= connections <= max(1, threads / 2)
    assert processes * connections <= 27


@pytest.mark.parametrize("dsn", [None, "sqlite://", "sqlite:////data/my.db"])
def test_sqlite_has_no_pool_to_size(dsn: str | None) -> None:
    url = make_url(dsn) if dsn else None
    assert engine_options(url, processes=2, threads=4) == {}


def test_models_of_the_base_belong_to_the_database() -> None:
    assert db.metadata is Base.metadata


def test_constraints_are_named_by_the_convention(database: SQLAlchemy) -> None:
    Model.metadata.create_all(database.engine)
    tables = inspect(database.engine)
    assert Model.metadata.tables["book"].primary_key.name == "pk_book"
    names = {
        found["name"]
        for found in [
            *tables.get_unique_constraints("author"),
            *tables.get_foreign_keys("book"),
            *tables.get_check_constraints("book"),
            *tables.get_indexes("book"),
        ]
    }
    assert names >= {
        "uq_author_name",
        "fk_book_author_id_author",
        "ck_book_has_pages",
        "ix_book_title",
    }


@pytest.mark.parametrize(
    "name",
    ["Stanis\u0142aw", "\u674e\u767d", "\U0001f4da\U0001f9d1\u200d\U0001f680", "'; --%s"],
    ids=["latin", "chinese", "emoji", "quotes"],
)
def test_text_comes_back_as_it_was(database: SQLAlchemy, name: str) -> None:
    Model.metadata.create_all(database.engine)
    database.session.add(Author(name=name))
    database.session.commit()
    database.session.remove()
    assert database.session.scalars(select(Author.name)).all() == [name]


@pytest.mark.parametrize("hours", [-5, 0, 9])
def test_time_comes_back_in_utc(database: SQLAlchemy, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    seen = datetime(2026, 2, 28, 23, 59, 59, 654321, tzinfo=zone)
    Model.metadata.create_all(database.engine)
    database.session.add_all([Author(name="a", seen=seen), Author(name="b")])
    database.session.commit()
    database.session.remove()
    found = database.session.scalars(select(Author.seen).order_by(Author.name)).all()
    assert found == [seen, None]
    assert found[0].utcoffset() == timedelta()
    late = select(Author.name).where(Author.seen >= seen.astimezone(UTC))
    assert database.session.scalars(late).all() == ["a"]


def test_time_needs_a_zone(database: SQLAlchemy) -> None:
    Model.metadata.create_all(database.engine)
    database.session.add(Author(name="a", seen=datetime(2026, 1, 1)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="needs a zone"):
        database.session.commit()


def test_enum_is_kept_by_name_with_room_for_others(database: SQLAlchemy) -> None:
    Model.metadata.create_all(database.engine)
    database.session.add(Author(id=1, name="a"))
    database.session.flush()
    database.session.add(Book(author_id=1, title="b", pages=1, kind=Kind.POEMS))
    database.session.commit()
    database.session.remove()
    assert database.session.scalars(select(Book.kind)).all() == [Kind.POEMS]
    table = Table("book", MetaData(), autoload_with=database.engine)
    assert str(table.c.kind.type).startswith("VARCHAR(50)")


def test_row_that_refers_to_none_is_refused(database: SQLAlchemy) -> None:
    Model.metadata.create_all(database.engine)
    database.session.add(Book(author_id=1, title="a", pages=1))
    with pytest.raises(IntegrityError):
        database.session.commit()


@pytest.fixture
def engine(make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Return an engine with a pool, where a connection that is not in use is idle at once."""
    monkeypatch.setattr(IDLE_SECONDS, -1)
    # SQLite in memory has one connection and no pool.
    with make_app(DATABASE_URL=TEST_DATABASE_URL or f"sqlite:///{tmp_path}/db").app_context():
        yield db.engine


@pytest.mark.parametrize(("seconds", "pings"), [(-1, 1), (3600, 0)], ids=["idle", "just-used"])
def test_only_an_idle_connection_is_asked_whether_it_is_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, seconds: int, pings: int
) -> None:
    ping = Mock(return_value=True)
    monkeypatch.setattr(engine.dialect, "do_ping", ping)
    monkeypatch.setattr(IDLE_SECONDS, seconds)
    for _ in ("new", "used"):
        engine.connect().close()
    assert ping.call_count == pings


@needs_server
def test_connection_that_the_server_closed_is_replaced(engine: Engine, app: Flask) -> None:
    with engine.connect() as connection:
        lost = connection.exec_driver_sql(CONNECTION_ID).scalar_one()
    with app.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql(CLOSE_CONNECTION.format(lost))
    with engine.connect() as connection:
        assert connection.exec_driver_sql(CONNECTION_ID).scalar_one() != lost


def test_all_idle_connections_are_replaced_once_one_is_lost(engine: Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        before: list[Any] = [one.connection.dbapi_connection, other.connection.dbapi_connection]
    before[-1].close()  # This one is the next that the pool gives out.
    with engine.connect() as one, engine.connect() as other:
        assert one.scalar(select(1)) == other.scalar(select(1)) == 1
        assert one.connection.dbapi_connection not in before
        assert other.connection.dbapi_connection not in before


def test_connection_that_is_lost_at_the_end_spoils_no_answer(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = OperationalError("ROLLBACK", {}, Exception("the server closed the connection"))
    removals = []

    def remove() -> None:
        removals.append(1)
        if len(removals) == 1:
            raise lost

    with app.app_context():
        monkeypatch.setattr(db.session, "remove", remove)

    assert client.get("/tests/page").status_code == 200
    assert len(removals) > 1


def test_migrations_go_up_and_down(runner: FlaskCliRunner, database: SQLAlchemy) -> None:
    assert runner.invoke(args=["db", "upgrade", "--sql"]).exit_code == 0
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    due = 'a model has changed: make migration MESSAGE="..."'
    assert runner.invoke(args=["db", "check"]).exit_code == 0, due
    assert runner.invoke(args=["db", "downgrade", "base"]).exit_code == 0
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}


@pytest.mark.parametrize(("url", "warnings"), [("", 1), ("sqlite:///{folder}/db", 0)])
def test_migration_without_a_database_warns(
    make_app: MakeApp, tmp_path: Path, capfd: pytest.CaptureFixture[str], url: str, warnings: int
) -> None:
    runner = make_app(DATABASE_URL=url.format(folder=tmp_path)).test_cli_runner()
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    assert capfd.readouterr().err.count("DATABASE_URL is not set") == warnings


@dataclass(frozen=True)
class Library:
    """The models above, in the database of the tests, with migrations of their own."""

    app: Flask
    db: SQLAlchemy
    folder: Path

    def run(self, *arguments: str) -> int:
        """Run `flask db` and return its exit status."""
        return self.app.test_cli_runner().invoke(args=["db", *arguments]).exit_code

    def has_tables(self) -> bool:
        return inspect(self.db.engine).has_table("book")


@pytest.fixture
def library(app: Flask, database: SQLAlchemy, tmp_path: Path) -> Iterator[Library]:
    for name in ("env.py", "script.py.mako"):
        shutil.copy(MIGRATIONS / name, tmp_path)
    (tmp_path / "versions").mkdir()
    other = Flask("{{ cookiecutter.package_name }}")
    for name in ("SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_ENGINE_OPTIONS"):
        other.config[name] = app.config[name]
    models = SQLAlchemy(other, model_class=Model)
    Migrate(other, models, directory=str(tmp_path))
    database.session.remove()
    with other.app_context():
        yield Library(other, models, tmp_path)
        models.session.remove()
        models.engine.dispose()


def test_migration_is_written_for_what_changed(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    assert library.run("check") == 1
    assert library.run("migrate", "-m", "Add authors and books") == 0
    assert not library.has_tables()

    assert library.run("upgrade") == 0
    assert library.has_tables()
    assert library.run("check") == 0
    assert library.run("migrate") == 0
    assert "No model has changed" in caplog.text
    assert len(list(library.folder.glob("versions/*.py"))) == 1

    assert library.run("downgrade", "base") == 0
    assert not library.has_tables()


def test_migration_keeps_what_refers_to_a_table(library: Library) -> None:
    library.run("migrate")
    library.run("upgrade")
    library.db.session.add(Author(id=1, name="a"))
    library.db.session.flush()
    library.db.session.add(Book(author_id=1, title="b", pages=1))
    library.db.session.commit()
    library.db.session.remove()

    library.run("revision", "-m", "Lengthen names", "--rev-id", "longer")
    (path,) = library.folder.glob("versions/longer*.py")
    path.write_text(path.read_text().replace("    pass", LENGTHEN_NAMES, 1))

    assert library.run("upgrade") == 0
    table = Table("author", MetaData(), autoload_with=library.db.engine)
    assert str(table.c.name.type).startswith("VARCHAR(200)")
    assert library.db.session.scalars(select(Book.title)).all() == ["b"]
    library.db.session.add(Book(author_id=2, title="b", pages=1))
    with pytest.raises(IntegrityError):
        library.db.session.commit()
