import click
import psycopg
import pytest
from conftest import TEST_DATABASE_URL, MakeApp, needs_server, views
from sqlalchemy import exc, make_url, text

from my_flask_app import database_limits
from my_flask_app.database import db

# Takes a second and a half.
SLOW = "SELECT pg_sleep(1.5)"


@views.get("/execute/<path:statement>")
def execute(statement: str) -> str:
    db.session.execute(text(statement))
    return "done"


@pytest.mark.parametrize("mimetype", ["text/html", "application/json"])
def test_absent_database_is_503_and_one_line_in_the_log(
    make_app: MakeApp, unreachable_database: str, capsys: pytest.CaptureFixture[str], mimetype: str
) -> None:
    client = make_app(DATABASE_URL=unreachable_database).test_client()
    response = client.get("/tests/execute/SELECT 'private'", headers={"Accept": mimetype})
    assert (response.status_code, response.mimetype) == (503, mimetype)
    assert response.headers["Retry-After"] == "5"
    error, access = capsys.readouterr().err.splitlines()
    assert "ERROR" in error
    assert "127.0.0.1" in error
    assert "private" not in error
    assert "topsecret" not in error
    assert access.partition(" ms")[0].split()[-2] == "503"


def test_absent_database_that_the_error_page_needs_is_no_bug_either(
    make_app: MakeApp, unreachable_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app(DATABASE_URL=unreachable_database)
    app.context_processor(lambda: {"name": db.session.scalar(text("SELECT 1"))})
    response = app.test_client().get("/tests/execute/SELECT 1")
    assert (response.status_code, response.mimetype) == (503, "text/plain")
    assert response.headers["Retry-After"] == "5"
    assert "Traceback" not in capsys.readouterr().err


def test_wrong_statement_is_500_with_its_traceback(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    app.testing = False
    assert app.test_client().get("/tests/execute/SELECT missing").status_code == 500
    log = capsys.readouterr().err
    assert "Traceback" in log
    assert "[SQL: SELECT missing]" in log


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("40P01", True),  # deadlock_detected
        ("55P03", True),  # lock_not_available
        ("57014", True),  # query_canceled
        ("23505", False),  # unique_violation
        ("42P01", False),  # undefined_table
        ("55000", False),  # object_not_in_prerequisite_state
    ],
)
def test_code_tells_whether_the_database_is_to_blame(code: str, *, expected: bool) -> None:
    error = exc.DBAPIError.instance("SELECT", {}, psycopg.errors.lookup(code)(), psycopg.Error)
    assert database_limits.is_unavailable(error) is expected


def test_pool_without_a_free_connection_is_to_blame() -> None:
    assert database_limits.is_unavailable(exc.TimeoutError("no connection"))


@needs_server
@pytest.mark.parametrize(("limit", "grace"), [("1", 2), ("2", -1)], ids=["server", "client"])
def test_statement_that_takes_too_long_ends(
    make_app: MakeApp,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    grace: int,
) -> None:
    monkeypatch.setattr(database_limits, "GRACE_SECONDS", grace)
    client = make_app(DATABASE_TIMEOUT=limit).test_client()
    assert client.get(f"/tests/execute/{SLOW}").status_code == 503
    assert len(capsys.readouterr().err.splitlines()) == 2  # the error and the request
    assert client.get("/tests/execute/SELECT 1").status_code == 200


@needs_server
def test_statement_of_a_command_takes_as_long_as_it_needs(make_app: MakeApp) -> None:
    with click.Context(click.Command("db")):
        app = make_app(DATABASE_TIMEOUT="1")
    assert app.test_client().get(f"/tests/execute/{SLOW}").status_code == 200


@needs_server
def test_options_of_the_url_are_kept(make_app: MakeApp) -> None:
    url = make_url(TEST_DATABASE_URL).update_query_dict({"options": "-c search_path=mine"})
    with make_app(DATABASE_URL=url.render_as_string(hide_password=False)).app_context():
        assert db.session.scalar(text("SHOW search_path")) == "mine"
        assert db.session.scalar(text("SHOW statement_timeout")) == "10s"
