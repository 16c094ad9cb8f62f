"""Templates, projects and updates in real git repositories, for the tests of updates."""

import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from combinations import TEMPLATE

Baked = Callable[..., Path]

PROJECT = "{{cookiecutter.project_slug}}"
# What a bake is made of; all else in the repository reaches no project.
PARTS = ["cookiecutter.json", "hooks", "templates", PROJECT]
LOCKS = {"requirements.txt", "requirements-dev.txt"}


def environment() -> dict[str, str]:
    """Return that of an owner with git, cruft and uv, not that of the `make test` we run in."""
    ours = ("MAKE", "MFLAGS", "ARGS", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    author = {"GIT_AUTHOR_NAME": "Owner", "GIT_AUTHOR_EMAIL": "owner@example.org"}
    committer = {"GIT_COMMITTER_NAME": "Owner", "GIT_COMMITTER_EMAIL": "owner@example.org"}
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return kept | author | committer | path


def run(folder: Path, *command: str, answers: str = "", fails: bool = False) -> str:
    """Run a command, which has to succeed or to fail, and return what it prints."""
    done = subprocess.run(
        command, cwd=folder, env=environment(), input=answers, capture_output=True, text=True
    )
    said = f"{folder}: {' '.join(command)}\n{done.stdout}{done.stderr}"
    assert (done.returncode != 0) == fails, said
    return done.stdout + (done.stderr if fails else "")


def commit(folder: Path) -> None:
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "-q", "-m", "Work")


def take_working_tree(folder: Path) -> None:
    """Copy what a bake is made of, committed or not."""
    folder.mkdir(exist_ok=True)
    caches = shutil.ignore_patterns("__pycache__", ".*_cache")
    for part in PARTS:
        if (TEMPLATE / part).is_dir():
            shutil.copytree(TEMPLATE / part, folder / part, ignore=caches)
        else:
            shutil.copy(TEMPLATE / part, folder / part)


def create(template: Path, folder: Path, answers: dict[str, str], *options: str) -> Path:
    """Make a project that its owner committed as it was baked."""
    folder.mkdir(parents=True)
    context = json.dumps(answers)
    run(folder, "cruft", "create", str(template), "-y", "--extra-context", context, *options)
    project = folder / answers.get("project_slug", "my-flask-app")
    commit(project)
    return project


def baker(template: Path, folders: pytest.TempPathFactory) -> Baked:
    """Return a function that bakes projects, each once, which are not to be changed."""
    projects: dict[tuple[str, str], Path] = {}

    def bake(version: str, **answers: str) -> Path:
        key = version, json.dumps(answers, sort_keys=True)
        if key not in projects:
            folder = folders.mktemp("baked") / "work"
            projects[key] = create(template, folder, answers, "--checkout", version)
        return projects[key]

    return bake


def update(project: Path, *options: str, **answers: str) -> None:
    """Update as the README has it, to other answers if there are any, and commit the result."""
    switch = ["--variables-to-update", json.dumps(answers)] if answers else []
    run(project, "cruft", "update", "--skip-apply-ask", *switch, *options)
    assert "UU " not in run(project, "git", "status", "--porcelain"), f"{project} has conflicts"
    assert list(project.rglob("*.rej")) == []
    commit(project)


def contents(project: Path) -> dict[str, bytes]:
    """Return what git tracks, by path, without what only the owner's commands change."""
    names = run(project, "git", "ls-files", "-z").split("\0")
    ours = {*filter(None, names)} - LOCKS - {".cruft.json"}
    return {name: (project / name).read_bytes() for name in ours if (project / name).exists()}


def differing(project: Path, other: Path) -> list[str]:
    """Return the paths that are not the same in both."""
    one, two = contents(project), contents(other)
    return sorted(name for name in {*one, *two} if one.get(name) != two.get(name))


def recipe(project: Path) -> list[list[str]]:
    """Return the commands of the project's README on updates, a list for each block."""
    readme = (project / "README.md").read_text()
    section = re.search(
        r"^## Update from the template\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE
    )
    blocks = re.findall(r"(?:^    .+\n)+", section[1], re.MULTILINE)
    return [[line.strip() for line in block.splitlines()] for block in blocks]


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the template's own repository, whoever owns the folder."""
    command = ["git", "-c", "safe.directory=*", "-C", str(TEMPLATE), *arguments]
    return subprocess.run(command, capture_output=True)


def lines(*arguments: str) -> list[str]:
    return git(*arguments).stdout.decode().splitlines()


def differs(version: str) -> bool:
    """Return whether the working tree would bake other projects than that version did."""
    changed = git("diff", "--quiet", version, "--", *PARTS).returncode != 0
    return changed or lines("ls-files", "--others", "--exclude-standard", "--", *PARTS) != []


def releases() -> list[str]:
    """Return the tagged releases of this history, the last one last."""
    tags = [tag for tag in lines("tag", "--merged", "HEAD") if re.fullmatch(r"\d+\.\d+", tag)]
    return sorted(tags, key=lambda tag: tuple(map(int, tag.split("."))))


def versions_to_update_from() -> list[str]:
    """Return all releases that the working tree is newer than.

    Without one, the commit that first tested updates stands for it, or else the newest that
    bakes something else. Empty where there is no history to tell.
    """
    if lines("rev-parse", "--is-shallow-repository") != ["false"]:
        return []
    if older := [tag for tag in releases() if differs(tag)]:
        return older
    promised = lines("log", "--format=%H", "--diff-filter=A", "--", "tests/test_cruft.py")[:1]
    commits = promised + lines("log", "--format=%H")
    return list(itertools.islice(filter(differs, commits), 1))


def take_version(version: str, folder: Path) -> None:
    """Write what a bake of that version is made of."""
    archive = git("archive", "--format=tar", version, "--", *PARTS)
    assert archive.returncode == 0, archive.stderr.decode()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
