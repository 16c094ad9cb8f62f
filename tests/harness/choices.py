"""The template's choices, and their combinations."""

import ast
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parents[2]
PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}"

CONTEXT = json.loads((TEMPLATE / "cookiecutter.json").read_text())
CHOICES: dict[str, list[str]] = {
    name: values
    for name, values in CONTEXT.items()
    if isinstance(values, list) and not name.startswith("_")
}
# The choices that change what runs; the others change single files.
CORE = ["database", "gateway_server", "media_storage"]

Answers = dict[str, str]


def combinations(*names: str) -> list[Answers]:
    """Return all combinations of the values of these choices."""
    values = itertools.product(*(CHOICES[name] for name in names))
    return [dict(zip(names, chosen, strict=True)) for chosen in values]


def label(answers: Answers) -> str:
    """Return a name for these answers, such as postgres-gunicorn-s3."""
    return "-".join(answers.values())


def fewest(candidates: list[Answers], parts: Callable[[Answers], set]) -> list[Answers]:
    """Return few of these combinations, which together have all parts that any of them has."""
    chosen: list[Answers] = []
    missing = set().union(*map(parts, candidates))
    while missing:
        chosen.append(max(candidates, key=lambda answers: len(missing & parts(answers))))
        missing -= parts(chosen[-1])
    return chosen


def core_and_pairs(answers: Answers) -> set:
    core = tuple(answers[name] for name in CORE)
    return {core, *itertools.combinations(answers.items(), 2)}


def is_paired(core: Answers) -> bool:
    database, server, storage = (CHOICES[name].index(core[name]) for name in CORE)
    return storage == (database + server) % len(CHOICES["media_storage"])


# Those that are installed and served. The code for azure depends on no other choice, so these are
# only the paired ones of it: once with each database and each gateway server.
CORES = [
    core for core in combinations(*CORE) if core["media_storage"] != "azure" or is_paired(core)
]
# Each database with each gateway server, and with these the storages in turn.
PAIRED_CORES = list(filter(is_paired, CORES))
# Of these one with each gateway server, for what nothing else changes.
ONE_OF_EACH_SERVER = [PAIRED_CORES[0], PAIRED_CORES[-1]]
# Two cores that differ in everything.
TWO_CORES = [CORES[0], CORES[-1]]

NEW = combinations(*(name for name in CHOICES if name != "application"))
EXISTING = [
    {"application": "existing"} | answers for answers in combinations(*CORE, "reverse_proxy")
]
# What existing applications may bring: each place of requirements, and what changes the image.
EXISTING += [
    {"application": "existing", "database": database, "gateway_server": server}
    | {"media_storage": "azure" if "azure" in found else "s3"}
    | {"reverse_proxy": "none", "found": found}
    for database, server, found in (
        ("postgres", "gunicorn", "requirements/live.txt psycopg2 sqlalchemy gunicorn app/static/"),
        ("postgres", "uwsgi", "requirements.txt sqlalchemy uwsgi boto3 python-magic"),
        ("postgres", "uwsgi", "uv.lock psycopg pyuwsgi"),
        ("mysql", "gunicorn", "poetry.lock pymysql weasyprint"),
        ("mysql", "uwsgi", "Pipfile.lock mysqlclient"),
        ("postgres", "gunicorn", "pylock.toml psycopg psycopg-binary"),
        ("mysql", "gunicorn", "pyproject.toml flask-socketio"),
        ("postgres", "gunicorn", "setup.py flask-socketio eventlet gevent"),
        ("mysql", "uwsgi", "setup.cfg celery celery:shop.tasks.celery migrations-in-factory"),
        ("postgres", "gunicorn", "requirements.txt celery redis migrations-in-factory DB_URL"),
        ("mysql", "gunicorn", "requirements.txt pymysql azure-storage-blob"),
    )
]
# Each core, and each value with each value of the other choices: no condition joins more.
SAMPLE = fewest(NEW, core_and_pairs) + fewest(EXISTING, core_and_pairs)


def constant_of_hook(hook: str, name: str, **names: Any) -> Any:
    """Return what a hook assigns to a name, given the names that the expression uses."""
    for node in ast.parse((TEMPLATE / "hooks" / f"{hook}.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return eval(compile(ast.Expression(node.value), hook, "eval"), names)
    raise AssertionError(f"{hook} has no {name}")
