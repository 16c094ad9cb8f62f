"""Templates, projects and updates in real git repositories."""

import itertools
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from tests.harness.choices import CONTEXT, TEMPLATE
from tests.harness.processes import run
from tools.release import PARTS, has_changed_since

# Bakes a version of the template with some answers, each once. A project is not to be changed.
BakeVersion = Callable[..., Path]

LOCKS = {"requirements.txt", "requirements-dev.txt"}


def git(folder: Path, *arguments: str, **options: Any) -> str:
    return run("git", *arguments, folder=folder, **options)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "Work")


def make_repository(folder: Path) -> None:
    """Make a repository of what is in a folder, committed."""
    git(folder, "init", "-q", "--initial-branch=main")
    commit(folder)


def take_working_tree(folder: Path) -> None:
    """Copy what a bake is made of, committed or not, and what git ignores of it."""
    folder.mkdir(exist_ok=True)
    caches = shutil.ignore_patterns("__pycache__", ".*_cache")
    for part in [*PARTS, ".gitignore"]:
        if (TEMPLATE / part).is_dir():
            shutil.copytree(TEMPLATE / part, folder / part, ignore=caches)
        else:
            shutil.copy(TEMPLATE / part, folder / part)


def change(path: Path, old: str, new: str) -> None:
    """Replace a text, which has to be there, so that who changes the template hears of it."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


def make_template(folder: Path) -> Path:
    """Make a repository of the working tree, as a release of the version that it has."""
    take_working_tree(folder)
    make_repository(folder)
    git(folder, "tag", CONTEXT["_version"])
    return folder


def release(template: Path, version: str) -> None:
    """Commit and tag what is in the template's repository as a version."""
    questions = json.loads((template / "cookiecutter.json").read_text())
    old, new = (f'"_version": "{name}"' for name in (questions["_version"], version))
    change(template / "cookiecutter.json", old, new)
    commit(template)
    git(template, "tag", version)


def bake(template: Path | str, folder: Path, *options: str, **answers: str) -> tuple[Path, str]:
    """Bake with cookiecutter; return the project and what is said."""
    folder.mkdir(exist_ok=True)
    given = [f"{name}={value}" for name, value in answers.items()]
    command = ["cookiecutter", template, "--no-input", *options, *given]
    said = run(*command, errors=True, folder=folder)
    return folder / answers.get("project_slug", "my-flask-app"), said


def create(template: Path, folder: Path, answers: dict[str, str], *options: str) -> Path:
    """Make a project that its owner committed as it was baked."""
    folder.mkdir(parents=True)
    create = ["cruft", "create", template, "--no-input", *options]
    run(*create, "--extra-context", json.dumps(answers), folder=folder)
    project = folder / answers.get("project_slug", "my-flask-app")
    commit(project)
    return project


def baker(template: Path, folder: Path) -> BakeVersion:
    """Return what bakes projects of the versions of a template, in a folder."""
    projects: dict[tuple[str, str], Path] = {}

    def bake(version: str, **answers: str) -> Path:
        key = version, json.dumps(answers, sort_keys=True)
        if key not in projects:
            own = folder / str(len(projects))
            projects[key] = create(template, own, answers, "--checkout", version)
        return projects[key]

    return bake


def update(project: Path, *options: str, **answers: str) -> None:
    """Update as the README has it, to other answers if there are any, and commit the result."""
    merge(project, *options, **answers)
    assert conflicting(project) == [], f"{project} has conflicts"
    commit(project)


def merge(project: Path, *options: str, **answers: str) -> None:
    switch = ["--variables-to-update", json.dumps(answers)] if answers else []
    run("cruft", "update", "--skip-apply-ask", *switch, *options, folder=project)


def conflicting(project: Path) -> list[str]:
    """Return the paths of files with conflicts, and of those with what did not fit."""
    unmerged = git(project, "diff", "--name-only", "--diff-filter=U")
    return sorted((unmerged + git(project, "ls-files", "--others", "*.rej")).splitlines())


def answers_of(project: Path) -> dict[str, str]:
    """Return all answers, so that a later version can be baked with them, whatever its defaults."""
    context = json.loads((project / ".cruft.json").read_text())["context"]["cookiecutter"]
    return {name: value for name, value in context.items() if not name.startswith("_")}


def contents(project: Path) -> dict[str, bytes]:
    """Return what git tracks, by path, without what only the owner's commands change."""
    names = git(project, "ls-files", "-z").split("\0")
    ours = {*filter(None, names)} - LOCKS - {".cruft.json"}
    return {name: (project / name).read_bytes() for name in ours if (project / name).exists()}


def differing(project: Path, other: Path) -> list[str]:
    """Return the paths that are not the same in both."""
    one, two = contents(project), contents(other)
    return sorted(name for name in {*one, *two} if one.get(name) != two.get(name))


class Recipe(NamedTuple):
    """The commands of a project's README on updates, in its order."""

    install: list[str]
    check: list[str]
    update: list[str]
    finish: list[str]
    renew: list[str]
    change_an_answer: list[str]
    make_branch: list[str]
    update_branch: list[str]
    update_without_cruft: list[str]


def recipe(project: Path) -> Recipe:
    return Recipe(*commands_of(project / "README.md"))


def commands_of(page: Path) -> list[list[str]]:
    """Return the commands of a page on updates, a list for each block."""
    _, section = page.read_text().split("\n## Update from the template\n")
    blocks = re.findall(r"(?:^    .+\n)+", section.partition("\n## ")[0], re.MULTILINE)
    return [[line.strip() for line in block.splitlines()] for block in blocks]


def follow(project: Path, *commands: str, **options: Any) -> str:
    """Type commands in a project until one fails, and return what they print."""
    return run("bash", "-ec", "\n".join(commands), folder=project, **options)


def filled_in(commands: list[str], values: dict[str, str]) -> str:
    """Return commands with these values in place of the examples, all of which have to be there."""
    script = "\n".join(commands)
    for example, value in values.items():
        assert example in script, f"{script} has no {example}"
        script = script.replace(example, value)
    return script


def history(*arguments: str, fails: bool | None = False) -> str:
    """Run git in the template's own repository, whoever owns the folder."""
    return git(TEMPLATE, "-c", "safe.directory=*", *arguments, fails=fails)


def releases() -> list[str]:
    """Return the tagged releases of this history, the last one last."""
    tags = re.findall(r"^\d+\.\d+$", history("tag", "--merged", "HEAD", fails=None), re.MULTILINE)
    return sorted(tags, key=number)


def number(version: str) -> tuple[int, ...]:
    """Return what sorts releases, and any commit before them."""
    return tuple(map(int, version.split("."))) if "." in version else ()


def last_of_each_major(versions: list[str]) -> list[str]:
    return list({number(version)[:1]: version for version in versions}.values())


def versions_to_update_from() -> list[str]:
    """Return all releases that the working tree is newer than.

    Without one, the commit that first tested updates stands for it, or else the newest that
    bakes something else. Empty where there is no history to tell.
    """
    if history("rev-parse", "--is-shallow-repository", fails=None) != "false\n":
        return []
    if older := [tag for tag in releases() if has_changed_since(tag)]:
        return older
    added = history(
        "log", "--format=%H", "--diff-filter=A", "--", "tests/test_cruft.py", fails=None
    )
    commits = added.splitlines()[:1] + history("log", "--format=%H", fails=None).splitlines()
    return list(itertools.islice(filter(has_changed_since, commits), 1))


def needs_history(version: str | None) -> None:
    """Skip a test, or fail in the pipeline, where there is no such version."""
    if version is None:
        message = "There is no older version to update from. Run 'git fetch --unshallow --tags'."
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)


def take_version(version: str, folder: Path) -> None:
    """Write what a bake of that version is made of."""
    with TemporaryDirectory() as archives:
        archive = Path(archives, "version.tar")
        history("archive", f"--output={archive}", version, "--", *PARTS)
        folder.mkdir(exist_ok=True)
        run("tar", "-xf", archive, "-C", folder)
