"""The local stack, run from a copy of the project by an owner who is not root."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.harness.baked import Baked
from tests.harness.engine import PREFIX, Container, docker
from tests.harness.processes import environment, eventually, free_port, run

DEVELOPMENT = "docker-compose.yml"
PRODUCTION = "docker-compose.production.yml"
# The person whose folder it is. Only root can play another one.
OWNER = 4321 if os.geteuid() == 0 else os.geteuid()


@dataclass(frozen=True)
class Stack:
    """A copy of a project and its services, at a port that is free on this machine."""

    baked: Baked
    file: str
    port: int

    @property
    def name(self) -> str:
        return f"{PREFIX}-{self.baked}-{self.port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        settings = {"COMPOSE_PROJECT_NAME": self.name, "COMPOSE_ANSI": "never"}
        return environment() | settings | {"PORT": str(self.port)}

    def compose(self, *arguments: str, **options: bool) -> str:
        command = ["docker", "compose", "--file", self.file, *arguments]
        env = self.environment
        return run(*command, folder=self.baked.folder, env=env, errors=True, timeout=900, **options)

    def containers(self, service: str) -> list[Container]:
        mine = f"--filter=label=com.docker.compose.project={self.name}"
        its = f"--filter=label=com.docker.compose.service={service}"
        one_off = "--filter=label=com.docker.compose.oneoff=False"
        names = docker("ps", mine, its, one_off, "--format", "{{.Names}}").splitlines()
        return [Container(name) for name in sorted(names)]

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask as a browser on this machine does."""
        return requests.get(f"{self.url}{path}", headers=headers, timeout=35)

    def shows(self, text: str, path: str = "/") -> bool:
        return text in self.get(path).text


@contextlib.contextmanager
def stack_of(
    baked: Baked, folder: Path, file: str, *options: str, page: str = "/", release: str = ""
) -> Iterator[Stack]:
    """Have the stack of a copy of the project, which gets a free port instead of 8000.

    page: what is there as soon as the application answers
    release: the command that makes the tables of an existing application
    """
    copy = baked.copy(folder / str(baked))
    run("chown", "--recursive", f"{OWNER}:{OWNER}", copy.folder)

    stack = Stack(copy, file, free_port())
    try:
        stack.compose("up", "--detach", "--build", *options)
        if file == PRODUCTION and (copy.folder / "migrations").exists():
            release = "flask db upgrade"
        if release:
            stack.compose("run", "--rm", "web", *release.split())
        eventually(lambda: stack.get(page).status_code == 200, f"the page {page}")
        yield stack
    except AssertionError as error:
        error.add_note(f"{baked}\n{stack.compose('logs', '--tail=40', fails=None)}")
        raise
    finally:
        stack.compose("down", "--volumes", "--rmi=local", "--remove-orphans", "--timeout=1")
