"""Search on real databases, with the index that the page has its owner add to the migration."""

from collections.abc import Callable

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.recipes import gate
from tests.recipes.conftest import Follow

EXPLAIN = """
from sqlalchemy import event, text
from my_flask_app import create_app
from my_flask_app.database import db
from my_flask_app.search import search
with create_app().app_context(), db.engine.begin() as connection:
    if db.engine.name == "postgresql":  # which reads a table whole where it is as small as this
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    @event.listens_for(connection, "before_cursor_execute", retval=True)
    def explain(_connection, _cursor, statement, parameters, *_):
        return f"EXPLAIN {statement}", parameters
    print(connection.execute(search("word")).cursor.fetchall())
"""


@pytest.fixture(params=TWO_CORES, ids=label, scope="module")
def followed(request: pytest.FixtureRequest, follow: Follow) -> Baked:
    core: Answers = request.param
    return follow("search", **core)


@pytest.fixture
def database(
    request: pytest.FixtureRequest, followed: Baked, start_server: Callable[[str], str]
) -> str:
    return new_database(start_server(followed.answers["database"]), request.node.name[:60])


def test_gate(followed: Baked, database: str, mypy_cache: str) -> None:
    said = gate(followed, "search", mypy_cache=mypy_cache, TEST_DATABASE_URL=database)

    assert "SKIPPED" not in said


def test_it_finds_on_sqlite_too(followed: Baked) -> None:
    assert " passed" in followed.run("pytest", "-q", "tests/test_search.py")


def test_later_migrations_leave_the_index_alone(followed: Baked, database: str) -> None:
    followed.run("flask", "db", "upgrade", DATABASE_URL=database)
    followed.run("flask", "db", "check", DATABASE_URL=database)


def test_index_is_used(followed: Baked, database: str) -> None:
    followed.run("flask", "db", "upgrade", DATABASE_URL=database)
    said = followed.run("python", "-c", EXPLAIN, DATABASE_URL=database)
    assert "search_article" in said
