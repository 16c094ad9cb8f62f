"""Projects stay current by merges of git, with and without cruft, as their README has it."""

import json
import re
from pathlib import Path

import pytest

from tests.harness.choices import CONTEXT, PROJECT
from tests.harness.processes import add_program, environment, finish, run
from tests.harness.updates import (
    LOCKS,
    bake,
    change,
    commit,
    differing,
    filled_in,
    follow,
    git,
    make_template,
    recipe,
    release,
)

# The working tree as a release, and two after it that these tests make up.
OLD, NEW, NEWER = CONTEXT["_version"], "77.7", "77.8"
PACKAGE = "my_flask_app"
DESCRIPTION = 'Zo\u00eb\'s "notes" \\ \U0001f600'

with_and_without_cruft = pytest.mark.parametrize("way", ["with cruft", "without cruft"])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the template with three releases."""
    template = make_template(tmp_path_factory.mktemp("releases") / "template.git")
    project = template / PROJECT.name
    package = project / "{{cookiecutter.package_name}}"
    for version, before in ((NEW, "World"), (NEWER, NEW)):
        change(package / "pages.py", f"Hello, {before}!", f"Hello, {version}!")
        for path in (package / "database_limits.py", project / "tests" / "test_pages.py"):
            change(path, "\nimport ", f"\n# Of {version}.\nimport ")
        (project / "docs").mkdir(exist_ok=True)
        (project / "docs" / f"{version}.md").write_text("{{ cookiecutter.description }}\n")
        with (project / "requirements.txt").open("a") as lock:
            lock.write(f"# {version}\n")
        if version == NEW:
            (project / ".editorconfig").unlink()
            (package / "templates" / "error.html").rename(package / "templates" / "problem.html")
        release(template, version)
    return template


def bake_version(template: Path, folder: Path, version: str, **answers: str) -> Path:
    """Bake a version with cookiecutter, and commit the project as it is."""
    answers = {"description": DESCRIPTION} | answers
    project, _ = bake(f"file://{template}", folder, "--checkout", version, **answers)
    commit(project)
    return project.rename(folder / "project")


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A project of the oldest release, in a folder of another name."""
    return bake_version(template, tmp_path / "old", OLD)


def edit(project: Path) -> None:
    """Change, move and delete files as an owner, none where a release changes a line."""
    with (project / "README.md").open("a") as readme:
        readme.write("\n## Notes\n\nMine.\n")
    (project / PACKAGE / "limits").mkdir()
    git(project, "mv", f"{PACKAGE}/database_limits.py", f"{PACKAGE}/limits/of_database.py")
    with (project / PACKAGE / "limits" / "of_database.py").open("a") as moved:
        moved.write("\n\nMINE = 1\n")
    change(project / PACKAGE / "templates" / "error.html", "</p>", "</p><p>Mine.</p>")
    (project / PACKAGE / "mine.py").write_text('"""Mine."""\n')
    (project / "tests" / "test_pages.py").unlink()
    for name in LOCKS:
        with (project / name).open("a") as lock:
            lock.write("# Mine.\n")
    commit(project)


def merge(
    project: Path, way: str, template: Path, version: str, *answers: str, options: str = ""
) -> str:
    """Merge a version as the README has it, and return what git then has to say."""
    if way == "with cruft":
        given = {"--skip-apply-ask": f"--skip-apply-ask --checkout {version}"}
        script = filled_in(recipe(project).update_branch, given)
    else:
        given = {"URL": f"file://{template}", "1.1": version}
        output = '--output-dir "$scratch"'
        given |= {output: " ".join([output, *answers])}
        script = filled_in(recipe(project).update_without_cruft, given)
    done = finish("bash", "-ec", f"{script} {options}", folder=project, env=environment())
    assert "CONFLICT" in done.stdout or done.returncode == 0, done.stdout + done.stderr
    return git(project, "status", "--short")


def conflicts(status: str) -> list[str]:
    return re.findall("^(?:.U|U.|AA|DD|[?][?]) .*", status, re.MULTILINE)


def state(project: Path) -> dict:
    return json.loads((project / ".cruft.json").read_text())


@with_and_without_cruft
def test_edited_project_gets_each_release_and_loses_nothing(
    way: str, project: Path, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "in temporary folders"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    edit(project)
    git(project, "remote", "rename", "origin", "platform")
    (project / "notes.txt").write_text("not committed")
    (project / ".git" / "info" / "exclude").write_text("notes.txt\n")
    hook = project / ".git" / "hooks" / "pre-commit"  # as "make hooks" installs one
    add_program(hook, "test -f .venv/installed")
    (project / ".venv").mkdir()
    (project / ".venv" / "installed").touch()
    settings = git(project, "config", "--list", "--local")
    locks = {name: (project / name).read_text() for name in LOCKS}
    follow(project, *recipe(project).make_branch)

    for version in (NEW, NEWER):
        status = merge(project, way, template, version)

        assert conflicts(status) == ["DU tests/test_pages.py"]
        git(project, "rm", "-q", "tests/test_pages.py")
        commit(project)
        moved = (project / PACKAGE / "limits" / "of_database.py").read_text()
        assert f"# Of {version}." in moved
        assert "MINE = 1" in moved
        assert f"Hello, {version}!" in (project / PACKAGE / "pages.py").read_text()
        assert DESCRIPTION in (project / "docs" / f"{version}.md").read_text()
        assert "Mine." in (project / PACKAGE / "templates" / "problem.html").read_text()
        assert "\nMine.\n" in (project / "README.md").read_text()
        assert f"flask-divio {version};" in (project / "README.md").read_text()
        assert not (project / ".editorconfig").exists()
        assert {name: (project / name).read_text() for name in LOCKS} == locks
        assert state(project)["commit"] == git(template, "rev-parse", version).strip()

    run("cruft", "check", folder=project)
    assert git(project, "branch", "--show-current") == "main\n"
    assert git(project, "config", "--list", "--local") == settings
    assert git(project, "worktree", "list").count("\n") == 1
    assert (project / "notes.txt").read_text() == "not committed"


@with_and_without_cruft
def test_edits_of_the_first_commit_stay(way: str, project: Path, template: Path) -> None:
    change(project / PACKAGE / "pages.py", "Hello, World!", "Hello, all of you!")
    edit(project)
    git(project, "reset", "-q", "--soft", "HEAD^")
    git(project, "commit", "-q", "--amend", "--no-edit")
    follow(project, *recipe(project).make_branch)

    options = "--strategy ours"
    merge(project, "without cruft", template, state(project)["commit"], options=options)
    git(project, "commit", "-q", "--no-edit")

    assert git(project, "diff", "HEAD^") == ""
    assert conflicts(merge(project, way, template, NEW)) == [
        f"UU {PACKAGE}/pages.py",
        "DU tests/test_pages.py",
    ]
    moved = (project / PACKAGE / "limits" / "of_database.py").read_text()
    assert f"# Of {NEW}." in moved
    assert "MINE = 1" in moved


def test_answer_is_changed_by_another_bake(project: Path, template: Path, tmp_path: Path) -> None:
    follow(project, *recipe(project).make_branch)

    merge(project, "without cruft", template, NEW, "database=mysql", "gateway_server=uwsgi")
    commit(project)

    other = bake_version(template, tmp_path / "new", NEW, database="mysql", gateway_server="uwsgi")
    assert differing(project, other) == []
    assert state(project) == state(other)


@with_and_without_cruft
def test_branch_gives_what_cruft_alone_has_passed_over(
    way: str, project: Path, template: Path
) -> None:
    edit(project)
    change(project / PACKAGE / "pages.py", "Hello, World!", "Hello, all of you!")
    commit(project)
    run("cruft", "update", "--skip-apply-ask", "--checkout", NEW, folder=project)
    change(project / PACKAGE / "pages.py", f"Hello, {NEW}!", "Hello, you!")
    (project / PACKAGE / "pages.py").write_text(
        re.sub(r"<<<.*\n.*\n=+\n(.*\n)>>>.*\n", r"\1", (project / PACKAGE / "pages.py").read_text())
    )
    commit(project)
    moved = project / PACKAGE / "limits" / "of_database.py"
    assert NEW not in moved.read_text()
    follow(project, *recipe(project).make_branch)

    options = "--strategy-option ours"
    status = merge(project, way, template, state(project)["commit"], options=options)

    assert status == f"M  {PACKAGE}/limits/of_database.py\nDU tests/test_pages.py\n"
    git(project, "rm", "-q", "tests/test_pages.py")
    commit(project)
    status = merge(project, way, template, NEWER)
    assert conflicts(status) == [
        "UU .cruft.json",  # names the version that cruft alone was given
        f"UU {PACKAGE}/pages.py",
        "DU tests/test_pages.py",
    ]
    command = "git checkout --theirs .cruft.json"
    assert f"`{command}`" in (project / "README.md").read_text()
    run(*command.split(), folder=project)
    assert state(project)["commit"] == git(template, "rev-parse", NEWER).strip()
    assert f"# Of {NEWER}." in moved.read_text()
    assert f"flask-divio {NEWER};" in (project / "README.md").read_text()
