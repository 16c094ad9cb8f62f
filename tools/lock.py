"""Renew templates/locks: the locked requirements of each combination of choices that matters.

Bakes each combination and runs the `make lock` of the baked project, so that its owner's command
and ours cannot differ. Arguments such as --upgrade are handed on to `uv pip compile`.
"""

import itertools
import os
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


def renew(answers: dict[str, str], folder: str, arguments: list[str]) -> None:
    combination = "-".join(answers.values())
    print(combination, flush=True)
    project = cookiecutter(
        str(TEMPLATE),
        no_input=True,
        extra_context=answers | {"project_slug": combination},
        output_dir=folder,
        accept_hooks=False,
        default_config={"replay_dir": folder},
    )
    # uv is in the environment that runs this; the project's own is not needed.
    command = ["make", "--silent", "--old-file=install", "lock", f"ARGS={' '.join(arguments)}"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=project, env=os.environ | {"PATH": path}, check=True)
    shutil.copy(Path(project, "requirements.txt"), LOCKS / f"{combination}.txt")
    shutil.copy(Path(project, "requirements-dev.txt"), LOCKS / f"{combination}-dev.txt")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for values in itertools.product(*CHOICES.values()):
            renew(dict(zip(CHOICES, values, strict=True)), folder, sys.argv[1:])
