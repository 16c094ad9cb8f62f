"""What a bake finds in applications with the traits of real ones, and what it refuses."""

import json
import re
from pathlib import Path

import pytest

from tests.harness.existing import SHAPES, Shape, bake, make_shape, snapshot, take_over
from tests.harness.processes import run
from tests.harness.updates import commit, make_repository, take_working_tree

# The answers to wsgi_app, python_version and found.
FOUND = {
    "old_driver": ("wsgi:app", "3.13", "requirements.txt psycopg2 sqlalchemy"),
    "uv_in_src": ("inventory:create_app()", "3.14", "uv.lock psycopg-binary sqlalchemy"),
    "poetry": ("diary.app:make_app()", "3.14", "poetry.lock psycopg2-binary"),
    "pipenv": ("application:application", "3.14", "Pipfile.lock mysqlclient sqlalchemy"),
    "old_flask": (
        "shop:create_app()",
        "3.13",
        "requirements/production.txt pymysql sqlalchemy SQLALCHEMY_DATABASE_URI",
    ),
    "socketio": ("chat:app", "3.14", "pyproject.toml sqlalchemy flask-socketio"),
    "celery": (
        "jobs:create_app()",
        "3.14",
        "requirements.txt sqlalchemy celery celery:make_celery.celery_app",
    ),
    "migrates_itself": (
        "polls:create_app()",
        "3.14",
        "pylock.toml psycopg-binary sqlalchemy flask-migrate migrations-in-factory",
    ),
    "settings_at_import": ("newsletter:app", "3.14", "setup.py psycopg2-binary sqlalchemy"),
    "uploads": ("run:app", "3.14", "requirements.txt sqlalchemy eventlet app/static/uploads/"),
    "from_git": ("app:app", "3.14", "requirements.txt pymysql"),
    "own_docker": ("app:application", "3.14", "requirements.txt sqlalchemy"),
    "sqlite_file": ("board:create_app()", "3.14", "requirements.txt sqlalchemy"),
    "procfile": (
        "intranet.backend.boot:site",
        "3.14",
        "requirements.txt psycopg2-binary gunicorn gevent",
    ),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the template, which cruft can clone."""
    template = tmp_path_factory.mktemp("template")
    take_working_tree(template)
    make_repository(template)
    return template


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bake_finds_what_a_shape_brings_and_changes_nothing(
    shape: Shape, tmp_path: Path, template: Path
) -> None:
    folder = tmp_path / "repository"
    make_shape(shape, folder)
    before = snapshot(folder)

    said = bake(folder, template=template, **shape.answers)

    after = snapshot(folder)
    assert {name: after.get(name) for name in before} == before
    if "To take them over" in said:
        take_over(folder, said)
    known = json.loads((folder / ".cruft.json").read_text())["context"]["cookiecutter"]
    names = "wsgi_app", "python_version", "found"
    assert tuple(known[name] for name in names) == FOUND[shape.name]
    # An update looks at nothing; all it has not is what was left to do.
    commit(folder)
    changes = re.findall(r"^[+-](?![+-]{2} ).*", run("cruft", "diff", folder=folder), re.MULTILINE)
    assert [line for line in changes if not line.startswith("-- [ ] ")] == []


APP = {"app.py": "from flask import Flask\n\napp = Flask(__name__)\n"}
REQUIREMENTS = {"requirements.txt": "flask==3.1.3\n"}
PROJECT = {"pyproject.toml": '[project]\nname = "app"\nversion = "1"\ndependencies = ["flask"]\n'}
OLD_LOCK = """
version = 1
requires-python = "<3.10"

[[package]]
name = "app"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "flask" }]

[[package]]
name = "flask"
version = "2.3.3"
"""


@pytest.mark.parametrize(
    ("files", "answers", "says"),
    [
        (REQUIREMENTS, {}, "No Flask application was found"),
        (
            {"one.py": APP["app.py"], "two.py": APP["app.py"]} | REQUIREMENTS,
            {},
            "finds several applications: one:app .* two:app",
        ),
        (APP, {}, "has no requirements"),
        (APP | PROJECT | {"uv.lock": "[[package"}, {}, "uv.lock.* is not valid TOML"),
        (APP | PROJECT | {"poetry.lock": "x"}, {}, "poetry.lock.* is not valid TOML"),
        (APP | {"Pipfile": "", "Pipfile.lock": "{"}, {}, "Pipfile.lock.* is not valid JSON"),
        (APP | {"pylock.toml": "="}, {}, "pylock.toml.* is not valid TOML"),
        (APP | {"Pipfile": '[packages]\nflask = "*"\n'}, {}, "Pipfile is not locked"),
        (APP | PROJECT | {"uv.lock": OLD_LOCK}, {}, "uv.lock:3 asks for Python <3.10"),
        (
            APP | {"requirements.txt": "flask-socketio==5.5.1\n"},
            {"gateway_server": "uwsgi"},
            "answer 'gunicorn'",
        ),
    ],
)
def test_bad_input_gets_one_message_and_changes_nothing(
    files: dict[str, str], answers: dict[str, str], says: str, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = snapshot(tmp_path)

    said = bake(tmp_path, fails=True, **answers)

    [problem] = re.findall("ERROR: (?!Stopping)(.*)", said)
    assert re.search(says, problem)
    assert snapshot(tmp_path) == before
