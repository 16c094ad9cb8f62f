"""post_gen_project.py makes a git repository, and no state of git fails a bake."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.harness.choices import TEMPLATE
from tests.harness.processes import add_program, environment, finish, run
from tests.harness.updates import commit, git, make_repository

URL = "git@git.divio.com:my-flask-app.git"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def bake(folder: Path, *arguments: str, **variables: str) -> tuple[Path, str]:
    """Bake as a person does; return the project and what was said on stderr."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cookiecutter", TEMPLATE, "--no-input", *arguments]
    done = finish(*command, folder=folder, env=environment() | variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", "stdout belongs to cruft diff"
    project = folder / "my-flask-app"
    assert (project / "Dockerfile").is_file()
    return project, done.stderr


def test_project_is_a_repository_on_main_with_a_remote_and_without_commits(folder: Path) -> None:
    project, said = bake(folder)

    assert git(project, "symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert git(project, "remote", "get-url", "origin") == f"{URL}\n"
    assert git(project, "rev-list", "--all") == ""
    assert URL in said


def test_nothing_of_a_bake_is_ignored_by_its_gitignore(folder: Path) -> None:
    project, _ = bake(folder)

    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    git(project, "add", ".")
    tracked = set(git(project, "ls-files").splitlines())

    assert {name for name in files if not name.startswith(".git/")} == tracked


def test_readme_pushes_to_a_repository_that_divio_took_empty(folder: Path) -> None:
    (folder / "host").mkdir()
    (folder / "host" / "LICENSE").touch()
    make_repository(folder / "host")
    git(folder, "clone", "-q", "--bare", "host", "host.git")
    project, _ = bake(folder)
    commit(project)
    readme = (project / "README.md").read_text()
    [commands] = re.findall("(?: {7}git .*\n)+ {7}git push .*\n", readme)
    commands = commands.replace("<url>", str(folder / "host.git"))
    run("bash", "-ec", commands, folder=project)

    pushed = git(folder / "host.git", "ls-tree", "--name-only", "main").splitlines()
    assert {"LICENSE", "Dockerfile", "README.md"} <= set(pushed)
    assert git(folder / "host.git", "rev-list", "--count", "main") == "2\n"


def test_project_bakes_without_git(folder: Path) -> None:
    project, said = bake(folder, PATH=str(Path(sys.executable).parent))

    assert not (project / ".git").exists()
    assert "git cannot be run" in said
    assert not (project / "uwsgi.ini").exists(), "pruning needs no git"


def test_project_bakes_where_git_fails(folder: Path, tmp_path: Path) -> None:
    add_program(tmp_path / "bin" / "git", "echo 'fatal: no' >&2; exit 128")

    _, said = bake(folder, PATH=environment(tmp_path / "bin")["PATH"])

    assert "fatal: no" in said


def test_other_default_branch_is_not_used(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[init]\ndefaultBranch = trunk\n")

    project, _ = bake(folder, GIT_CONFIG_GLOBAL=str(config))

    assert git(project, "symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_project_inside_a_repository_does_not_become_another(folder: Path) -> None:
    git(folder, "init", "-q")

    project, said = bake(folder)

    assert not (project / ".git").exists()
    assert git(folder, "remote") == ""
    assert "part of the git repository" in said
    git(folder, "add", ".")


def test_project_that_an_outer_repository_ignores_becomes_one(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("my-flask-app/\n")

    project, _ = bake(folder)

    assert git(project, "remote", "get-url", "origin") == f"{URL}\n"


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_variables_of_a_calling_git_do_not_redirect_the_hook(
    variable: str, folder: Path, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    before = git(outer, "config", "--list", "--local")
    value = {"GIT_DIR": outer / ".git", "GIT_WORK_TREE": outer, "GIT_INDEX_FILE": outer / "index"}

    project, _ = bake(folder / "inner", **{variable: str(value[variable])})

    assert git(project, "remote", "get-url", "origin") == f"{URL}\n"
    assert git(outer, "config", "--list", "--local") == before


def test_clone_of_an_empty_repository_can_be_baked_into(folder: Path) -> None:
    (folder / "my-flask-app").mkdir()
    git(folder / "my-flask-app", "init", "-q")
    git(folder / "my-flask-app", "remote", "add", "origin", "git@example.org:mine.git")

    project, _ = bake(folder, "-f")

    assert git(project, "remote", "get-url", "origin") == "git@example.org:mine.git\n"
    assert git(project, "remote", "get-url", "divio") == f"{URL}\n"


def test_both_remote_names_taken_is_told(folder: Path) -> None:
    (folder / "my-flask-app").mkdir()
    git(folder / "my-flask-app", "init", "-q")
    for name in ("origin", "divio"):
        git(folder / "my-flask-app", "remote", "add", name, f"git@example.org:{name}.git")

    project, said = bake(folder, "-f")

    assert "The git remote for Divio is not set" in said
    assert git(project, "remote", "get-url", "divio") == "git@example.org:divio.git\n"


def test_remote_that_is_set_stays(folder: Path) -> None:
    (folder / "my-flask-app").mkdir()
    git(folder / "my-flask-app", "init", "-q")
    git(folder / "my-flask-app", "remote", "add", "upstream", URL)

    project, _ = bake(folder, "-f")

    assert git(project, "remote") == "upstream\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder to somebody else")
def test_folder_of_somebody_else_is_no_failure(folder: Path) -> None:
    project = folder / "my-flask-app"
    project.mkdir()
    os.chown(project, 12345, 12345)

    _, said = bake(folder, "-f")

    assert "The git remote for Divio is not set" in said
    assert "dubious ownership" in said


def test_worktree_gets_the_remote(folder: Path) -> None:
    main = folder / "main"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "commit", "-q", "--allow-empty", "-m", "Start")
    git(main, "worktree", "add", "-q", "../my-flask-app")
    # A work tree has a file .git, so this bakes over an existing folder.

    bake(folder, "-f", "-s")

    assert git(main, "remote", "get-url", "origin") == f"{URL}\n"


def test_console_without_unicode_is_no_failure(folder: Path) -> None:
    _, said = bake(
        folder,
        "project_name=Zo\u00eb \U0001f600",
        "project_slug=my-flask-app",
        PYTHONIOENCODING="ascii",
    )

    assert "is baked" in said


def test_stray_module_in_the_temporary_folder_is_not_imported(folder: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    (temporary / "json.py").write_text("raise SystemExit('imported')")

    bake(folder, TMPDIR=str(temporary))
