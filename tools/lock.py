"""Renew templates/locks: the locked requirements of each combination of choices that matters.

Bakes each combination and runs the `make lock` of the baked project, so that its owner's command
and ours cannot differ; for an existing application, the command in its DEPLOY.md. Arguments such
as --upgrade are handed on to `uv pip compile`.
"""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parent.parent
LOCKS = TEMPLATE / "templates" / "locks"
CHOICES = {
    "database": ["postgres", "mysql"],
    "gateway_server": ["gunicorn", "uwsgi"],
    "media_storage": ["s3", "local"],
}


def bake(application: str, answers: dict[str, str], folder: str) -> Path:
    return Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers | {"application": application, "project_slug": application},
            output_dir=folder,
            overwrite_if_exists=True,
            accept_hooks=False,
            default_config={"replay_dir": folder},
        )
    )


def renew(answers: dict[str, str], folder: str, arguments: list[str]) -> None:
    combination = "-".join(answers.values())
    print(combination, flush=True)
    project = bake("new", answers, folder)
    # uv is in the environment that runs this; the project's own is not needed.
    run(project, "make", "--silent", "--old-file=install", "lock", f"ARGS={' '.join(arguments)}")
    shutil.copy(project / "requirements.txt", LOCKS / f"{combination}.txt")
    shutil.copy(project / "requirements-dev.txt", LOCKS / f"{combination}-dev.txt")

    project = bake("existing", answers, folder)
    [command] = re.findall(r"^ +(uv pip compile .*)$", (project / "DEPLOY.md").read_text(), re.M)
    run(project, *shlex.split(command), "--quiet", *arguments)
    shutil.copy(project / "requirements-divio.txt", LOCKS / "existing" / f"{combination}.txt")


def run(folder: Path, *command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for values in itertools.product(*CHOICES.values()):
            renew(dict(zip(CHOICES, values, strict=True)), folder, sys.argv[1:])
