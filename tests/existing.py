"""Existing applications, and how their owners add what the template deploys."""

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from combinations import TEMPLATE

APPLICATIONS = Path(__file__).parent / "applications"


@dataclass(frozen=True)
class Application:
    """An application, and where in its repository it lives.

    path: what to ask it for, and `says` what then stands in the answer
    """

    name: str
    wsgi_app: str
    says: str
    path: str = "/"
    folder: str = "."

    def __str__(self) -> str:
        return self.name if self.folder == "." else f"{self.name} in {self.folder}"


TUTORIAL = Application("flaskr", "flaskr:create_app()", "Hello, World!", "/hello")
ONE_FILE = Application("one_file", "app:app", "One file.")
ONLY_PYPROJECT = Application("only_pyproject", "shop:create_app()", "A package.")
OWN_DOCKER = Application("own_docker", "app:application", "Own container.")
MONOREPO = Application("one_file", "app:app", "One file.", folder="services/web")
ALL = [TUTORIAL, ONE_FILE, ONLY_PYPROJECT, OWN_DOCKER, MONOREPO]


def run(folder: Path, *command: str, check: bool = True, **environment: str) -> str:
    """Run a command as an owner with a name; return all it says."""
    owner = {
        f"GIT_{role}_{what}": "owner@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | owner | path | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def make(application: Application, repository: Path) -> Path:
    """Make the repository of an application, committed; return the application's folder."""
    folder = repository / application.folder
    if application == TUTORIAL:
        copy_tutorial(folder)
    else:
        shutil.copytree(APPLICATIONS / application.name, folder)
    run(repository, "git", "init", "-q", "--initial-branch=main")
    commit(repository)
    return folder


def copy_tutorial(folder: Path) -> None:
    """Take the application of Flask's tutorial out of the release of Flask that is in use."""
    release = version("flask")
    downloads = folder.parent / "downloads"
    pip = ["pip", "download", "--quiet", "--no-deps", "--no-binary=flask", f"--dest={downloads}"]
    run(folder.parent, sys.executable, "-m", *pip, f"flask=={release}")
    with tarfile.open(downloads / f"flask-{release}.tar.gz") as archive:
        archive.extractall(downloads, filter="data")
    shutil.move(downloads / f"flask-{release}" / "examples" / "tutorial", folder)


def commit(repository: Path) -> None:
    run(repository, "git", "add", "--all")
    run(repository, "git", "commit", "-q", "--allow-empty", "-m", "Own work")


def adopt(
    folder: Path, application: Application, /, *options: str, check: bool = True, **answers: str
) -> str:
    """Bake for an existing application, from the folder that it lives in."""
    answers = {
        "application": "existing",
        "project_name": "The App",
        "wsgi_app": application.wsgi_app,
    } | answers
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", *options]
    return run(folder, *command, *(f"{key}={value}" for key, value in answers.items()), check=check)
