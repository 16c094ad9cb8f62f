"""Docker: containers that are gone when their tests are."""

import contextlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from tests.harness import edge
from tests.harness.load import loading
from tests.harness.processes import finish, run

# In front of the name of all that this process makes.
PREFIX = f"flask-divio-test-{os.getpid()}"


def docker(*arguments: str, **options: Any) -> str:
    """Return all that the command of Docker's client says; options are those of `run`."""
    return run("docker", *arguments, errors=True, **options).strip()


def is_there() -> bool:
    """Return whether an engine answers."""
    return shutil.which("docker") is not None and finish("docker", "info").returncode == 0


def inspect(name: str, kind: str = "container") -> dict[str, Any]:
    return json.loads(docker(kind, "inspect", name))[0]


@dataclass(frozen=True)
class Container:
    name: str
    port: int = 80

    @property
    def address(self) -> str:
        """Where this machine reaches its port."""
        published = docker("port", self.name, f"{self.port}/tcp").splitlines()[0]
        return f"127.0.0.1:{published.rpartition(':')[2]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask as Divio's edge does."""
        return edge.get(f"{self.url}{path}", **headers)

    def execute(self, *command: str, **options: Any) -> str:
        return docker("exec", self.name, *command, **options)

    def logs(self) -> str:
        return docker("logs", self.name)

    def stop(self) -> int:
        """Stop as Docker does; return the exit status, 137 if it took more than ten seconds."""
        docker("stop", "--time=10", self.name)
        return inspect(self.name)["State"]["ExitCode"]

    def is_answering(self, path: str = "/healthz") -> bool:
        state = inspect(self.name)["State"]
        if not state["Running"]:
            raise RuntimeError(f"{self.name} ended with status {state['ExitCode']}")
        return self.get(path).status_code == 200

    def is_healthy(self) -> bool:
        return inspect(self.name)["State"]["Health"]["Status"] == "healthy"


numbers = itertools.count(1)


@contextlib.contextmanager
def container(
    image: str, *command: str, options: tuple[str, ...] = (), port: int = 80, name: str = ""
) -> Iterator[Container]:
    """Have a container in the background, its port published to this machine alone."""
    name = name or f"{PREFIX}-{next(numbers)}"
    publish = f"--publish=127.0.0.1::{port}"
    docker("run", "--detach", f"--name={name}", publish, *options, image, *command)
    try:
        yield Container(name, port)
    except BaseException as error:
        error.add_note(f"--- log of {image}\n{docker('logs', '--tail=60', name, fails=None)}")
        raise
    finally:
        docker("rm", "--force", "--volumes", name)


@contextlib.contextmanager
def load(
    image: str, network: str, host: str, *paths: str, site: str = edge.DOMAIN, threads: int = 2
) -> Iterator[dict[str, dict[str, int]]]:
    """Do what `loading` does, from a container in a network."""
    name = f"{PREFIX}-{next(numbers)}"
    options = ["--interactive", "--rm", f"--name={name}", f"--network={network}"]
    python = ["docker", "run", *options, image, "python"]
    try:
        with loading(python, host, *paths, site=site, threads=threads) as answers:
            yield answers
    finally:
        docker("rm", "--force", name, fails=None)


def remove_all() -> None:
    """Remove all that this process made."""
    # What is named after the process, but for volumes of containers, which go with these.
    for kind, options in {
        "container": ["--force", "--volumes"],
        "network": [],
        "volume": ["--force"],
    }.items():
        template = "{{.Names}}" if kind == "container" else "{{.Name}}"
        everything = ["--all"] if kind == "container" else []
        names = docker(kind, "ls", *everything, "--format", template).splitlines()
        if ours := [name for name in names if name.startswith(PREFIX)]:
            docker(kind, "rm", *options, *ours, fails=None)
    tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    if ours := [tag for tag in tags if tag.startswith(PREFIX)]:
        docker("image", "rm", "--force", *ours, fails=None)
