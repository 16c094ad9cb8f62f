"""Existing applications, and how their owners add what the template deploys."""

import re
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.harness.choices import TEMPLATE
from tests.harness.processes import run
from tests.harness.updates import make_repository

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
IN_SRC = Application("in_src", "blog:app", "In src.")
OWN_DOCKER = Application("own_docker", "app:application", "Own container.")
MONOREPO = Application("one_file", "app:app", "One file.", folder="services/web")
ALL = [TUTORIAL, ONE_FILE, ONLY_PYPROJECT, IN_SRC, OWN_DOCKER, MONOREPO]


def make(application: Application, repository: Path) -> Path:
    """Make the repository of an application, committed; return the application's folder."""
    folder = repository / application.folder
    if application == TUTORIAL:
        copy_tutorial(folder)
    else:
        shutil.copytree(APPLICATIONS / application.name, folder)
    make_repository(repository)
    return folder


def copy_tutorial(folder: Path) -> None:
    """Take the application of Flask's tutorial out of the release of Flask that is in use."""
    release = version("flask")
    downloads = folder.parent / "downloads"
    download = ["pip", "download", "--quiet", "--no-deps", "--no-binary=flask"]
    run(sys.executable, "-m", *download, f"--dest={downloads}", f"flask=={release}")
    run("tar", "-xzf", f"flask-{release}.tar.gz", folder=downloads)
    shutil.move(downloads / f"flask-{release}" / "examples" / "tutorial", folder)


def adopt(
    folder: Path, application: Application, /, *options: str, fails: bool = False, **answers: str
) -> str:
    """Bake for an existing application, from the folder that it lives in; return what is said."""
    answers = {
        "application": "existing",
        "project_name": "The App",
        "wsgi_app": application.wsgi_app,
    } | answers
    given = [f"{name}={value}" for name, value in answers.items()]
    command = ["cookiecutter", TEMPLATE, "--no-input", *options, *given]
    return run(*command, folder=folder, fails=fails, errors=True)


def take_over(folder: Path, said: str) -> None:
    """Run the lines that a bake has said, which put what waits in the place of the owner's."""
    [lines] = re.findall(r"To take them over:\n\n(.*?)\n\n", said, re.DOTALL)
    run("sh", "-ec", lines, folder=folder)
