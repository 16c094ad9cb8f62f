"""Projects stay current with cruft: real templates, projects and updates in git repositories."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from combinations import TEMPLATE

PROJECT = "{{cookiecutter.project_slug}}"


def run(folder: Path, *command: str) -> str:
    author = {"GIT_AUTHOR_NAME": "Owner", "GIT_AUTHOR_EMAIL": "owner@example.org"}
    committer = {"GIT_COMMITTER_NAME": "Owner", "GIT_COMMITTER_EMAIL": "owner@example.org"}
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | author | committer | path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def commit(folder: Path) -> None:
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "-q", "-m", "Work")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The working tree of the template as a repository of its own."""
    template = tmp_path / "template"
    for name in ("cookiecutter.json", "hooks", "templates", PROJECT):
        source = TEMPLATE / name
        if source.is_dir():
            shutil.copytree(source, template / name)
        else:
            template.mkdir()
            shutil.copy(source, template / name)
    run(template, "git", "init", "-q")
    commit(template)
    return template


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A project that its owner committed as it was baked."""
    folder = tmp_path / "work"
    folder.mkdir()
    run(folder, "cruft", "create", str(template), "--no-input")
    project = folder / "my-flask-app"
    commit(project)
    return project


def test_untouched_project_differs_in_nothing(project: Path) -> None:
    run(project, "cruft", "check")
    assert run(project, "cruft", "diff", "--exit-code") == ""


def test_update_arrives_though_the_remote_changes(project: Path, template: Path) -> None:
    run(project, "git", "config", "user.email", "somebody@example.org")
    readme = template / PROJECT / "README.md"
    readme.write_text(f"{readme.read_text()}\nA new line.\n")
    hook = template / "hooks" / "post_gen_project.py"
    hook.write_text(hook.read_text().replace("git.divio.com", "git.example.org"))
    commit(template)

    run(project, "cruft", "update", "--skip-apply-ask")

    assert "A new line." in (project / "README.md").read_text()
    assert run(project, "git", "status", "--porcelain").split() == [
        "M",
        ".cruft.json",
        "M",
        "README.md",
    ]
    commit(project)
    assert run(project, "cruft", "diff", "--exit-code") == ""


def test_option_can_be_switched(project: Path, template: Path) -> None:
    (template / "note").write_text("cruft wants a newer commit")
    commit(template)
    answers = '{"gateway_server": "uwsgi", "ci": "gitlab"}'

    run(project, "cruft", "update", "--skip-apply-ask", "--variables-to-update", answers)

    assert (project / "uwsgi.ini").is_file()
    assert (project / ".gitlab-ci.yml").is_file()
    assert not (project / "gunicorn.conf.py").exists()
    assert not (project / ".github").exists()
    assert not list(project.rglob("*.rej"))


def test_create_over_an_existing_folder_is_refused(template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my-flask-app"
    folder.mkdir()
    (folder / "README.md").write_text("mine")

    with pytest.raises(AssertionError, match="cruft create would overwrite"):
        run(tmp_path, "cruft", "create", str(template), "--no-input", "--overwrite-if-exists")

    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"
