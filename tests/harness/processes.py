"""Commands, and waiting for what they start."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


def environment(*folders: Path) -> dict[str, str]:
    """Return that of an owner with git, cruft and uv, not that of the `make test` we run in.

    folders: whose programs come before all others
    """
    ours = ("MAKE", "MFLAGS", "ARGS", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    author = {"GIT_AUTHOR_NAME": "Owner", "GIT_AUTHOR_EMAIL": "owner@example.org"}
    committer = {"GIT_COMMITTER_NAME": "Owner", "GIT_COMMITTER_EMAIL": "owner@example.org"}
    path = os.pathsep.join(map(str, [*folders, Path(sys.executable).parent, os.environ["PATH"]]))
    return kept | author | committer | {"PATH": path}


def add_program(path: Path, script: str = "") -> None:
    """Write what runs in place of a real program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(
    *command: str | Path,
    fails: bool | None = False,
    errors: bool = False,
    folder: Path | None = None,
    **options: Any,
) -> str:
    """Run a command and return what it prints.

    fails: whether it has to fail, in which case what it says on stderr is returned too; None for
        a command that may do either
    errors: return what it says on stderr too
    folder, options: as in `finish`

    Raises AssertionError, which shows the folder, the command and all that it said.
    """
    done = finish(*command, folder=folder, **options)
    if fails is not None and (done.returncode != 0) != fails:
        place = f"{folder or Path.cwd()}: {' '.join(map(str, command))}"
        raise AssertionError(f"{place}\nstatus {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + (done.stderr if errors or fails else "")


def install_program(folder: Path, requirement: str) -> Path:
    """Install a Python program in an environment of its own, and return the folder of it."""
    python = folder / "bin" / "python"
    run("uv", "venv", "--quiet", "--python", sys.executable, folder)
    run("uv", "pip", "install", "--quiet", "--python", python, requirement)
    return folder / "bin"


def finish(
    *command: str | Path,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return what came of it, for what `run` does not tell apart.

    env: all its variables, those of `environment()` if there are none
    timeout: in seconds, after which subprocess.TimeoutExpired is raised
    """
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment() if env is None else env,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        error.add_note(f"in {folder}: {error.stdout!r}, {error.stderr!r}")
        raise


def eventually(done: Callable[[], Result], what: str, seconds: float = 60) -> Result:
    """Return what `done` returns as soon as it is true.

    It may fail until then, by an AssertionError or an OSError, such as any of requests'.
    """
    end = time.monotonic() + seconds
    reason = ""
    while time.monotonic() < end:
        try:
            if result := done():
                return result
        except (AssertionError, OSError) as error:
            reason = f": {error}"
        time.sleep(0.05)  # nothing tells of a server that starts but its answer
    raise AssertionError(f"not within {seconds} s: {what}{reason}")


def descendants(process: int) -> list[int]:
    """Return the processes that it started, those that they started, and so on."""
    children: dict[int, list[int]] = {}
    for line in run("ps", "-A", "-o", "pid=,ppid=").splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = children.get(process, [])
    for child in found:
        found += children.get(child, [])
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
