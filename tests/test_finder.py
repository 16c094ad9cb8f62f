"""What the finder makes of requirements and code together."""

from pathlib import Path

import pytest

from hooks import finder

ANSWERS = {
    "wsgi_app": "auto",
    "found": "auto",
    "python_version": "3.14",
    "database": "postgres",
    "gateway_server": "gunicorn",
}
APP = "from flask import Flask\napp = Flask(__name__)\n"
CONNECT = "import os, psycopg\nurl = os.environ['DATABASE_URL']\npsycopg.connect(url)"
QUERY = (
    "def seed():\n    print(db.session.execute('SELECT 1'))\nwith app.app_context():\n    seed()"
)
VIEW = "@app.get('/')\ndef view():\n    db.session.execute('x')"


@pytest.mark.parametrize(
    ("code", "requirements", "answers", "found", "hint", "problem"),
    [
        ("", "flask==3.1.3", {}, "requirements.txt", "", ""),
        ("", "flask==3.1.3", {"found": "auto requirements.txt"}, "requirements.txt", "", ""),
        ("", "flask==3.1.3", {"found": "uv.lock celery"}, "uv.lock celery", "", ""),
        ("import celery\nc = celery.Celery()", "flask==3.1.3", {}, "requirements.txt", "", ""),
        # Brought by another package, or not required at all.
        ("import sqlalchemy", "flask==3.1.3", {}, "requirements.txt sqlalchemy", "", ""),
        ("import psycopg2", "flask==3.1.3", {}, "requirements.txt", "add psycopg2-binary to", ""),
        (
            "",
            "flask==3.1.3\nflask-socketio==5.5.1",
            {"gateway_server": "uwsgi"},
            "requirements.txt flask-socketio",
            "",
            "gateway_server 'uwsgi' does not serve Flask-SocketIO's WebSockets",
        ),
        # Connections that uWSGI's workers would share.
        *(
            (
                code,
                "flask==3.1.3",
                {"gateway_server": server},
                found,
                hint if server == "uwsgi" else "",
                "",
            )
            for code, found, hint in [
                (CONNECT, "requirements.txt", "app.py:5 connects to the database while"),
                (QUERY, "requirements.txt", "app.py:4 connects to the database while"),
                (f"{QUERY}\ndb.create_all()", "requirements.txt migrations-in-factory", ""),
                (VIEW, "requirements.txt", ""),
            ]
            for server in ("uwsgi", "gunicorn")
        ),
        # Nothing ends a line of DEPLOY.md, or reaches the terminal as it is.
        (
            "app.config['UPLOAD_FOLDER'] = '/srv/a\\n- [x] b\\x1b[2J'",
            "flask==3.1.3",
            {},
            "requirements.txt",
            "writes to /srv/a?- [x] b?[2J, which",
            "",
        ),
        ("", "flask==3.1.3", {"wsgi_app": "app:other"}, "requirements.txt", "", "has no 'other'"),
    ],
)
def test_answers_hints_and_problems(
    code: str,
    requirements: str,
    answers: dict[str, str],
    found: str,
    hint: str,
    problem: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text(f"{APP}{code}\n")
    (tmp_path / "requirements.txt").write_text(requirements)

    seen = finder.look(tmp_path, ANSWERS | answers)

    assert seen.answers["found"] == found
    assert hint in "".join(seen.hints)
    assert len(seen.hints) == bool(hint)
    assert problem in "".join(seen.problems)
    assert len(seen.problems) == bool(problem)
