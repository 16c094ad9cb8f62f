"""The first day of an owner, who does what prompts, closing message and README say, stays green."""

import os
import re
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.conftest import Bake
from tests.harness.baked import Baked
from tests.harness.choices import TEMPLATE, TWO_CORES, Answers
from tests.harness.databases import new_database
from tests.harness.pipelines import github_workflow, gitlab_pipeline
from tests.harness.processes import environment, eventually, free_port, run
from tests.harness.updates import commit, git

GROWTH = Path(__file__).parent / "harness" / "first_day"

ODD_TEXTS = {
    "no-final-stop": "An app",
    "quotes": 'The "best" \'app\' of """all"""',
    "backslash": "Files in C:\\temp\\new\\",
    "em-dash": "An app \N{EM DASH} for everybody",
    "curly-apostrophe": "Zo\u00eb\N{RIGHT SINGLE QUOTATION MARK}s app",
    "long": "An app that " + "never " * 40 + "ends",
    "outer-blanks": "  An app. ",
    "emoji": "An app \N{ROCKET}\N{GRINNING FACE}",
    "right-to-left": "\u05d0\u05e4\u05dc\u05d9\u05e7\u05e6\u05d9\u05d4",
    "markup": "An <b>app</b> & more <!-- -->",
    "shell": "An app for $HOME, $(id), `id` and ${PATH}",
    "percent": "100 %s of the %(app)s",
    "apostrophes": "The ''app''' of '''all'",
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_odd_text_passes_the_linters(text: str, bake: Bake, tmp_path: Path) -> None:
    names = {"project_slug": "my-flask-app", "package_name": "my_flask_app"}
    project = bake(project_name=text, description=text, **names)

    run("ruff", "check", "--no-cache", folder=project.folder)
    run("ruff", "format", "--check", "--no-cache", folder=project.folder)
    assert tomllib.loads(project.text("pyproject.toml"))["project"]["description"] == text
    git(project.folder, "add", ".")
    files = git(project.folder, "ls-files", "-z").strip("\0").split("\0")
    run("trailing-whitespace-fixer", *files, folder=project.folder)


@pytest.mark.sample(TWO_CORES)
def test_first_day(
    answers: Answers,
    tmp_path: Path,
    install: Callable[[Baked], None],
    start_server: Callable[[str], str],
    mypy_cache: str,
) -> None:
    database = answers["database"]
    server = new_database(start_server(database), "first-day")
    settings = {"MYPY_CACHE_DIR": mypy_cache, "TEST_DATABASE_URL": server}
    answers = answers | {
        "ci": "github" if database == "postgres" else "gitlab",
        "project_name": f"Zo\u00eb{ODD_TEXTS['quotes']}",
        "project_slug": "my-flask-app",
        "package_name": "my_flask_app",
        "description": " ".join(ODD_TEXTS.values()),
    }
    given = [f"{name}={value}" for name, value in answers.items()]
    message = run("cookiecutter", TEMPLATE, "--no-input", *given, folder=tmp_path, errors=True)
    project = Baked(answers, tmp_path / "my-flask-app")
    install(project)

    follow_closing_message(message, project, mypy_cache)
    project.add_example_of_readme()
    project.run("make", "migration", "MESSAGE=add notes")
    commit(project.folder)
    # What goes next; the tests that stay run after that.
    project.run("make", "lint", "types", "test", "ARGS=tests/test_pages.py", **settings)
    grow(project)
    delete_what_may_be_deleted(project)
    check_as_ci(project, settings)
    # On a database that is not new, too.
    project.run("make", "test", "ARGS=tests/test_cli.py", **settings)

    assert "Hello, Ann" in project.run("flask", "greetings", "send", "Ann")
    assert "FAILED  mail" in project.run("flask", "check", fails=True)


def follow_closing_message(message: str, project: Baked, mypy_cache: str) -> None:
    """Type its commands, in the folder that cookiecutter was run in."""
    commands = re.findall(r"^    (.*)$", message, re.MULTILINE)
    # What `provide` does on Debian, and the Mac's.
    libraries = [line for line in commands if re.match(r"# mysqlclient|sudo|brew|export", line)]
    assert len(libraries) == (4 if project.answers["database"] == "mysql" else 0)
    *typed, serve = [line for line in commands if line not in libraries]
    port = str(free_port())
    env = environment() | project.environment(MYPY_CACHE_DIR=mypy_cache, PORT=port)

    run("bash", "-ec", "\n".join(typed), folder=project.folder.parent, env=env)
    assert git(project.folder, "status", "--porcelain") == ""

    with (project.folder.parent / "log").open("w+") as log:
        options = {"cwd": project.folder, "env": env, "stdout": log, "stderr": log}
        process = subprocess.Popen(["bash", "-c", serve], start_new_session=True, **options)
        try:
            page = eventually(lambda: requests.get(f"http://127.0.0.1:{port}", timeout=20), serve)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
    assert page.status_code == 200
    assert "Problem" not in page.text


def check_as_ci(project: Baked, settings: dict[str, str]) -> None:
    """Commit, and run each command of the pipelines that is not about the machine."""
    commit(project.folder)
    for command in commands_of_ci(project):
        project.run("bash", "-ec", command, **settings)
    assert git(project.folder, "status", "--porcelain") == ""


def commands_of_ci(project: Baked) -> list[str]:
    if project.answers["ci"] == "gitlab":
        return gitlab_pipeline(project)["check"]["script"]
    steps = github_workflow(project, "ci")["jobs"]["check"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    return [command for command in commands if "apt-get" not in command]


def grow(project: Baked) -> None:
    """Add one of each, as an owner would: code and tests of it, no change of a test of ours."""
    project.grow(GROWTH / "members.py", GROWTH / "members.html")
    project.grow(GROWTH / "api.py")
    project.grow(GROWTH / "greetings.py")
    shutil.copy(GROWTH / "tests_of_members.py", project.folder / "tests" / "test_members.py")
    project.run("make", "migration", "MESSAGE=add members")


def delete_what_may_be_deleted(project: Baked) -> None:
    """Delete all that the README offers, and what names it."""
    offered = project.text("README.md").partition("\n## What you may delete\n")[2]
    names = set(re.findall(r"`(.+?)`", offered))
    others = {"/", "Makefile", "pre-commit uninstall", "make hooks"}
    assert names == {*DELETED, *others}
    for name in DELETED:
        path = project.folder / name
        (path if path.exists() else project.folder / project.package / name).unlink()
    makefile = project.folder / "Makefile"
    targets = makefile.read_text().split(".PHONY: ")
    used = [target for target in targets if not re.match("run|flask|migration|hooks|lock", target)]
    makefile.write_text(".PHONY: ".join(used))


DELETED = [
    "pages.py",
    "templates/welcome.html",
    "tests/test_pages.py",
    ".editorconfig",
    ".pre-commit-config.yaml",
]
