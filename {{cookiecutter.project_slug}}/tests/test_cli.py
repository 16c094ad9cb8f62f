import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

from {{ cookiecutter.package_name }}.media import local

PROJECT = Path(__file__).parent.parent


def run_check(app: Flask) -> tuple[int, dict[str, str]]:
    """Return the exit status of `flask check`, and its lines by what each one is about."""
    outcome = app.test_cli_runner().invoke(args=["check"])
    return outcome.exit_code, {line[8:22].strip(): line for line in outcome.stdout.splitlines()}


def test_all_is_well(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}")
    app.test_cli_runner().invoke(args=["db", "upgrade"])
    status, lines = run_check(app)
    assert status == 0, lines
    assert list(lines) == ["settings", "database", "migrations", "media", "upload", "static files"]
    assert all(line.startswith("ok ") for line in lines.values())
    assert list(tmp_path.iterdir()) == []


def test_no_storage_is_told_but_is_no_failure(app: Flask) -> None:
    _, lines = run_check(app)
    for name in ("media", "upload"):
        assert lines[name].startswith("ok ")
        assert "DEFAULT_STORAGE_DSN is not set" in lines[name]


def test_database_is_unreachable(make_app: Callable[..., Flask], unreachable_database: str) -> None:
    status, lines = run_check(make_app(DATABASE_URL=unreachable_database))
    assert status == 1
    assert lines["database"].startswith("FAILED ")
    assert "127.0.0.1" in lines["database"]
    assert lines["static files"].startswith("ok ")
    assert "topsecret" not in str(lines)


def test_migrations_are_not_applied(app: Flask, database: SQLAlchemy) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('of-another-branch')"))
    status, lines = run_check(app)
    assert status == 1
    assert lines["migrations"].startswith("FAILED ")
    assert "flask db upgrade" in lines["migrations"]


def test_storage_is_unusable(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, lines = run_check(make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/file/media"))
    assert status == 1
    assert lines["media"].startswith("FAILED ")
    assert lines["upload"].startswith("FAILED ")


def test_storage_returns_something_else(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").write_text("other")
    monkeypatch.setattr(local.LocalStorage, "open", lambda *_: (tmp_path / "other").open("rb"))
    status, lines = run_check(make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/media"))
    assert status == 1
    assert "with other content" in lines["upload"]
    assert list((tmp_path / "media").iterdir()) == []


def test_unusable_settings_end_the_command_with_a_message() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "flask", "check"],
        cwd=PROJECT,
        env={
            **os.environ,
            "FLASK_APP": "{{ cookiecutter.package_name }}",
            "STAGE": "live",
            "SECRET_KEY": "",
            "LOG_LEVEL": "loud",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "- SECRET_KEY: is missing" in outcome.stderr
    assert "- LOG_LEVEL: must be one of" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project, with no settings."""
    command = [sys.executable, *arguments]
    environ = {"PATH": os.environ["PATH"], "FLASK_APP": "{{ cookiecutter.package_name }}"}
    return subprocess.run(
        command, cwd=PROJECT, env=environ, check=True, capture_output=True, text=True
    )


def test_flask_has_the_commands_of_the_database_and_logs_nothing_of_them() -> None:
    outcome = python("-m", "flask", "db", "--help")
    assert "upgrade" in outcome.stdout
    assert outcome.stderr == ""


def test_server_imports_nothing_that_only_commands_and_uploads_need() -> None:
    make = "import sys; from {{ cookiecutter.package_name }} import create_app; create_app()"
    imported = set(python("-c", f"{make}; print(*sys.modules)").stdout.split())
    assert not imported & {"alembic", {{ '"boto3", ' if cookiecutter.media_storage == 's3' }}"flask_migrate"}
