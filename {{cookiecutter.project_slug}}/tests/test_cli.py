import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from conftest import MakeApp
from flask.testing import FlaskCliRunner
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from {{ cookiecutter.package_name }} import features
from {{ cookiecutter.package_name }}.media.local import LocalStorage
from {{ cookiecutter.package_name }}.probes import PROBES

PROJECT = Path(__file__).parent.parent

OURS = {"settings", "database", "migrations", "media", "upload", "static files"}


@pytest.fixture(autouse=True)
def _leave_out_other_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out yours, which may need what is not there."""
    features.named("blueprint")  # imports all that may add one
    for name in PROBES.keys() - OURS:
        monkeypatch.delitem(PROBES, name)


def run_check(runner: FlaskCliRunner) -> tuple[int, dict[str, str]]:
    """Return the exit status of `flask check`, and the line of each probe."""
    outcome = runner.invoke(args=["check"])
    return outcome.exit_code, dict(zip(PROBES, outcome.stdout.splitlines(), strict=True))


def test_all_is_well_and_each_probe_has_a_line(make_app: MakeApp, tmp_path: Path) -> None:
    runner = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}").test_cli_runner()
    runner.invoke(args=["db", "upgrade"])
    status, lines = run_check(runner)
    assert status == 0, lines
    for name, line in lines.items():
        assert line.startswith(f"{'ok':8}{name}")
    assert list(tmp_path.iterdir()) == []


def test_no_storage_is_told_but_is_no_failure(runner: FlaskCliRunner) -> None:
    _, lines = run_check(runner)
    for name in ("media", "upload"):
        assert lines[name].startswith("ok ")
        assert "DEFAULT_STORAGE_DSN is not set" in lines[name]


def test_database_is_unreachable(make_app: MakeApp, unreachable_database: str) -> None:
    app = make_app(DATABASE_URL=unreachable_database)
    status, lines = run_check(app.test_cli_runner())
    assert status == 1
    assert lines["database"].startswith("FAILED ")
    assert "127.0.0.1" in lines["database"]
    assert lines["static files"].startswith("ok ")
    assert "topsecret" not in str(lines)


def test_migrations_are_not_applied(runner: FlaskCliRunner, database: SQLAlchemy) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('of-another-branch')"))
    status, lines = run_check(runner)
    assert status == 1
    assert lines["migrations"].startswith("FAILED ")
    assert "flask db upgrade" in lines["migrations"]


def test_storage_is_unusable(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    app = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/file/media")
    status, lines = run_check(app.test_cli_runner())
    assert status == 1
    assert lines["media"].startswith("FAILED ")
    assert lines["upload"].startswith("FAILED ")


def test_storage_returns_something_else(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalStorage, "open", lambda *_: BytesIO(b"other"))
    app = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/media")
    status, lines = run_check(app.test_cli_runner())
    assert status == 1
    assert "with other content" in lines["upload"]
    assert list((tmp_path / "media").iterdir()) == []


def python(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project, with no settings but these."""
    environ |= {"PATH": os.environ["PATH"], "FLASK_APP": "{{ cookiecutter.package_name }}"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False
    )


def test_unusable_settings_end_the_command_with_a_message() -> None:
    outcome = python("-m", "flask", "check", STAGE="live", LOG_LEVEL="loud")
    assert outcome.returncode == 1
    assert "- SECRET_KEY: is missing" in outcome.stderr
    assert "- LOG_LEVEL: must be one of" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_flask_has_the_commands_of_the_database_and_logs_nothing_of_them() -> None:
    outcome = python("-m", "flask", "db", "--help")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "upgrade" in outcome.stdout


def test_server_imports_nothing_that_only_commands_and_uploads_need() -> None:
    make = "import sys; from {{ cookiecutter.package_name }} import create_app; create_app()"
    outcome = python("-c", f"{make}; print(*sys.modules)")
    imported = set(outcome.stdout.split())
    assert "{{ cookiecutter.package_name }}.database" in imported, outcome.stderr
    assert not imported & {"alembic", {{ {'s3': '"boto3", ', 'azure': '"azure.core", ', 'local': ''}[cookiecutter.media_storage] }}"flask_migrate"}
