import shutil
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CheckConstraint, ForeignKey, MetaData, String, inspect, make_url, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from {{ cookiecutter.package_name }} import database as module

{% if cookiecutter.database == 'postgres' %}
SCHEMES = ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"]
DRIVER = "postgresql+psycopg"
FIXED_QUERY: dict[str, str] = {}
{% else %}
SCHEMES = ["mysql", "mysql2", "mysql+mysqldb", "mysql+pymysql"]
DRIVER = "mysql+mysqldb"
FIXED_QUERY = {"charset": "utf8mb4"}
{% endif %}

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class Base(DeclarativeBase):
    """Of models that are no part of the application, but named by its convention."""

    metadata = MetaData(naming_convention=module.Base.metadata.naming_convention)


class Author(Base):
    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)


class Book(Base):
    __tablename__ = "book"
    __table_args__ = (CheckConstraint("pages > 0", name="has_pages"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    title: Mapped[str] = mapped_column(String(100), index=True)
    pages: Mapped[int]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_gets_the_installed_driver(scheme: str) -> None:
    url = module.engine_url(f"{scheme}://user:password@host:1234/name")
    assert url == make_url(f"{DRIVER}://user:password@host:1234/name").update_query_dict(
        FIXED_QUERY
    )


def test_password_is_percent_decoded() -> None:
    dsn = "{{ cookiecutter.database }}://us%2Der:%2F%23%3F%40%25%2B@host/name"
    assert module.engine_url(dsn).password == "/#?@%+"
    assert module.engine_url(dsn).username == "us-er"


def test_query_is_passed_on() -> None:
    url = module.engine_url("{{ cookiecutter.database }}://user@host/name?application=a%20b&x=1")
    assert url.query == {"application": "a b", "x": "1", **FIXED_QUERY}


def test_sqlite_is_left_alone() -> None:
    assert module.engine_url("sqlite:////data/my.db") == make_url("sqlite:////data/my.db")


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("s3cret", "is no database URL"),
        ("//user:s3cret@host/name", "is no database URL"),
        ("{{ cookiecutter.database }}://user:s3cret@host:port/name", "is no database URL"),
        ("{{ cookiecutter.database }}://user:12@s3cret@host/name", "must be percent-encoded"),
        ("oracle://user:s3cret@host/name", "has an unknown scheme. Known are {{ cookiecutter.database }}, "),
    ],
    ids=["no-url", "no-scheme", "port", "at-sign", "scheme"],
)
def test_unusable_url_is_refused_without_being_shown(dsn: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        module.engine_url(dsn)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("threads", [1, 4, 100])
@pytest.mark.parametrize("workers", [1, 2, 3, 7, 16, 30])
def test_all_workers_together_stay_within_the_connections(workers: int, threads: int) -> None:
    url = module.engine_url("{{ cookiecutter.database }}://user@host/name")
    options = module.engine_options(url, workers=workers, threads=threads)
    connections = options["pool_size"] + options["max_overflow"]
    assert 1 <= connections <= threads
    assert workers * connections <= 30


@pytest.mark.parametrize("dsn", [None, "sqlite://", "sqlite:////data/my.db"])
def test_sqlite_has_no_pool_to_size(dsn: str | None) -> None:
    url = make_url(dsn) if dsn else None
    assert module.engine_options(url, workers=2, threads=4) == {}


def test_models_of_the_base_belong_to_the_database() -> None:
    assert module.db.metadata is module.Base.metadata


def test_constraints_are_named_by_the_convention(database: SQLAlchemy) -> None:
    Base.metadata.create_all(database.engine)
    tables = inspect(database.engine)
    assert Base.metadata.tables["book"].primary_key.name == "pk_book"
    assert [found["name"] for found in tables.get_unique_constraints("author")] == [
        "uq_author_name"
    ]
    assert [found["name"] for found in tables.get_foreign_keys("book")] == [
        "fk_book_author_id_author"
    ]
    assert [found["name"] for found in tables.get_check_constraints("book")] == [
        "ck_book_has_pages"
    ]
    assert "ix_book_title" in {found["name"] for found in tables.get_indexes("book")}


@pytest.mark.parametrize(
    "text",
    ["Stanis\u0142aw", "\u674e\u767d", "\U0001f4da\U0001f9d1\u200d\U0001f680", "'; --%s"],
    ids=["latin", "chinese", "emoji", "quotes"],
)
def test_text_comes_back_as_it_was(database: SQLAlchemy, text: str) -> None:
    Base.metadata.create_all(database.engine)
    database.session.add(Author(name=text))
    database.session.commit()
    database.session.remove()
    assert database.session.scalars(select(Author.name)).all() == [text]


def test_migrations_of_the_project_go_up_and_down(app: Flask, database: SQLAlchemy) -> None:
    runner = app.test_cli_runner()
    run(runner, "upgrade")
    run(runner, "check")  # Fails where a model has changed since: "flask db migrate" is due.
    run(runner, "downgrade", "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}


def test_migrations_can_be_written_as_sql(app: Flask) -> None:
    run(app.test_cli_runner(), "upgrade", "--sql")


def test_migration_is_written_from_models(
    app: Flask, database: SQLAlchemy, tmp_path: Path
) -> None:
    runner = library(app, tmp_path)
    run(runner, "migrate", "-m", "Add authors and books")
    assert len(revisions(tmp_path)) == 1

    run(runner, "upgrade")
    assert inspect(database.engine).has_table("book")
    run(runner, "check")

    run(runner, "downgrade", "base")
    assert not inspect(database.engine).has_table("book")


@pytest.mark.usefixtures("database")
def test_no_migration_is_written_without_a_change(app: Flask, tmp_path: Path) -> None:
    runner = library(app, tmp_path)
    run(runner, "migrate")
    run(runner, "upgrade")
    run(runner, "migrate")
    assert len(revisions(tmp_path)) == 1


@pytest.mark.usefixtures("database")
def test_migration_may_be_written_by_hand(app: Flask, tmp_path: Path) -> None:
    runner = library(app, tmp_path)
    run(runner, "revision", "-m", "Change data")
    assert len(revisions(tmp_path)) == 1


@pytest.mark.usefixtures("database")
def test_check_fails_while_a_migration_is_due(app: Flask, tmp_path: Path) -> None:
    runner = library(app, tmp_path)
    outcome = runner.invoke(args=["db", "check"])
    assert isinstance(outcome.exception, SystemExit)
    assert outcome.exit_code == 1


def library(app: Flask, folder: Path) -> FlaskCliRunner:
    """Return a runner of `flask db` for the models above, with migrations of their own."""
    for name in ("env.py", "script.py.mako"):
        shutil.copy(MIGRATIONS / name, folder)
    (folder / "versions").mkdir()
    other = Flask("library")
    other.config.from_mapping(
        {name: value for name, value in app.config.items() if name.startswith("SQLALCHEMY_")}
    )
    db = SQLAlchemy(other, model_class=Base)
    Migrate(other, db, directory=str(folder))
    return other.test_cli_runner()


def revisions(folder: Path) -> list[Path]:
    return list((folder / "versions").glob("*.py"))


def run(runner: FlaskCliRunner, *arguments: str) -> None:
    outcome = runner.invoke(args=["db", *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
