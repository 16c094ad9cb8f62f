"""Renew the locks: templates/lock.txt for all that is baked, and our own requirements-dev.txt.

templates/cruft.txt follows from the latter: owners install the cruft that our tests run.

Bakes each combination of choices that changes what is installed, and locks it with its owner's
command. The results become one file with conditions. Nothing is written before that file has
rendered each of them again. Arguments such as --upgrade are handed on to `uv pip compile`.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from cookiecutter.main import cookiecutter
from cookiecutter.utils import create_env_with_context
from jinja2 import FileSystemLoader

from tests.harness.choices import CONTEXT, CORE, TEMPLATE, Answers, combinations, label
from tests.harness.locks import versions

# cruft bounds nothing that it requires. These two it calls, and click is what they call.
CRUFT = ["cruft", "click", "cookiecutter", "typer"]

JINJA = create_env_with_context({"cookiecutter": CONTEXT})
JINJA.loader = FileSystemLoader(TEMPLATE / "templates")

# What an application may bring, so that all that is added is locked: nothing, what asks for the
# other driver of Postgres, and drivers and libraries of storages of its own.
OWN = "psycopg2 pymysql boto3 azure-storage-blob"
FOUND = {"new": ["auto"], "existing": ["auto", "sqlalchemy", OWN]}

# Where a package may belong, as Jinja conditions of these flags and of `dev`, which the project's
# files set before they include the template: it is true in requirements-dev.txt alone.
FLAGS = """\
{% from 'database.txt' import driver, found with context %}
{% set new = cookiecutter.application == 'new' %}
{% set psycopg = driver == 'psycopg' %}
{% set psycopg2 = driver == 'psycopg2-binary' %}
{% set mysqlclient = driver == 'mysqlclient' %}
{% set gunicorn = cookiecutter.gateway_server == 'gunicorn' %}
{% set uwsgi = cookiecutter.gateway_server == 'uwsgi' %}
{% set s3 = cookiecutter.media_storage == 's3' and 'boto3' not in found %}
{% set azure = cookiecutter.media_storage == 'azure' and 'azure-storage-blob' not in found %}
"""
CONDITIONS = [
    "true",
    "new",
    "not new",
    "dev",
    "psycopg",
    "psycopg2",
    "mysqlclient",
    "gunicorn",
    "uwsgi",
    "s3",
    "azure",
    "s3 or azure",
    "dev and s3",
    "azure or dev and s3",
    "new or azure",
    "psycopg and not new and not azure",
]


class Lock(NamedTuple):
    """A lock that uv has written, and the variables with which the template has to render it."""

    name: str
    variables: dict
    text: str


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        baked = template_of(locks_of_bakes(Path(folder), arguments))
        ours = lock_of_tools(Path(folder), arguments)
    write(TEMPLATE / "templates" / "lock.txt", baked)
    write(TEMPLATE / "templates" / "cruft.txt", cruft_of(ours))
    write(TEMPLATE / "requirements-dev.txt", ours)


def what_differs() -> list[Answers]:
    """Return the answers that change what is installed, in all combinations."""
    return [
        answers | {"found": found}
        for answers in combinations("application", *CORE)
        for found in FOUND[answers["application"]]
    ]


def locks_of_bakes(folder: Path, arguments: list[str]) -> list[Lock]:
    locks = []
    for answers in what_differs():
        name_of_bake = label(answers).replace(" ", "-")
        print(name_of_bake, flush=True)
        project = bake(answers | {"project_slug": name_of_bake}, folder)
        if answers["application"] == "new":
            # uv is in the environment that runs this; the project's own is not needed.
            make = ["make", "--silent", "--old-file=install", "lock"]
            run(project, *make, f"ARGS={' '.join(arguments)}")
            names = ["requirements.txt", "requirements-dev.txt"]
        else:
            compile_lock(project, "requirements-divio.in", "requirements-divio.txt", arguments)
            names = ["requirements-divio.txt"]
        for name in names:
            variables = {"cookiecutter": answers, "dev": name == "requirements-dev.txt"}
            locks.append(Lock(f"{name_of_bake}/{name}", variables, (project / name).read_text()))
    return locks


def bake(answers: dict[str, str], folder: Path) -> Path:
    return Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder),
            accept_hooks=False,
            default_config={"replay_dir": str(folder)},
        )
    )


def lock_of_tools(folder: Path, arguments: list[str]) -> str:
    """Lock the tools of this repository in a copy, from what is locked today."""
    print("tools", flush=True)
    for name in "pyproject.toml", "requirements-dev.txt":
        shutil.copy(TEMPLATE / name, folder)
    ours = ["--group", "dev", "--custom-compile-command", "make lock"]
    compile_lock(folder, "pyproject.toml", "requirements-dev.txt", [*ours, *arguments])
    return (folder / "requirements-dev.txt").read_text()


def cruft_of(lock: str) -> str:
    """Return the template that names cruft, and what it runs with, as the tools are locked."""
    locked = versions(lock)
    requirements = [f"{name}=={locked[name]}" for name in CRUFT]
    return (
        "{# Written by tools/lock.py: what the template's tests run. cruft bounds nothing. #}\n"
        f"{{% set requirements = {requirements} %}}\n"
    )


def compile_lock(folder: Path, source: str, target: str, arguments: list[str]) -> None:
    """Lock with uv, which records the command in the lock, without options such as --upgrade.

    That is where DEPLOY.md sends owners of existing applications for it.
    """
    options = "--universal --python-version 3.11 --generate-hashes --no-annotate --output-file"
    run(folder, "uv", "pip", "compile", source, *options.split(), target, *arguments)


def run(folder: Path, *command: str) -> None:
    """Run a command and show its errors and warnings, not the locks that uv prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed for {folder.name}, so no lock is changed.")


def template_of(locks: list[Lock]) -> str:
    """Return the Jinja template that renders each of the locks with its variables."""
    found = defaultdict(list)
    for lock in locks:
        # A block is a package with its hashes, and the first one uv's comment at the top.
        for block in re.split(r"^(?=\S+==)", lock.text, flags=re.MULTILINE):
            found[block].append(lock)
    refuse_two_versions(found)

    true_in = {condition: locks_where(condition, locks) for condition in CONDITIONS}
    conditions = {block: condition_of(block, where, true_in) for block, where in found.items()}
    template = FLAGS
    for condition, blocks in itertools.groupby(sorted(found, key=name_of), conditions.get):
        text = "".join(blocks)
        if condition != "true":
            text = f"{{% if {condition} %}}\n{text}{{% endif %}}\n"
        template += text

    compiled = JINJA.from_string(template)
    for lock in locks:
        if compiled.render(lock.variables) != lock.text:
            sys.exit(f"One template does not render {lock.name} as uv wrote it: see tools/lock.py.")
    return template


def name_of(block: str) -> str:
    """Return the package of a block; what the comment gives sorts before any package."""
    return block.partition("==")[0]


def refuse_two_versions(found: dict[str, list[Lock]]) -> None:
    first: dict[str, tuple[str, Lock]] = {}
    for block, (lock, *_) in found.items():
        if "==" not in block:
            continue
        name, version = block.split()[0].split("==")
        other, where = first.setdefault(name, (version, lock))
        if version != other:
            sys.exit(
                f"{name} is {other} in {where.name}, but {version} in {lock.name}. Bound it where "
                f"it is required, or try ARGS='--upgrade-package {name}'."
            )


def locks_where(condition: str, locks: list[Lock]) -> list[Lock]:
    test = JINJA.from_string(f"{FLAGS}{{{{ {condition} }}}}")
    return [lock for lock in locks if test.render(lock.variables) == "True"]


def condition_of(block: str, found: list[Lock], true_in: dict[str, list[Lock]]) -> str:
    """Return the first condition that is true exactly where a block was found."""
    for condition in CONDITIONS:
        if true_in[condition] == found:
            return condition
    line = block.partition("\n")[0].rstrip(" \\")
    names = ", ".join(lock.name for lock in found)
    sys.exit(
        f"No condition in tools/lock.py is true exactly where {line!r} is: add it to CONDITIONS. "
        f"It is in {names}."
    )


def write(path: Path, text: str) -> None:
    """Replace a file at once: it is never there in part."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
