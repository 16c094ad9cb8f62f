"""The local stack, run from a copy of the project by an owner who is not root."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from combinations import title
from conftest import Project
from engine import PREFIX, Container, docker, eventually, run
from servers import free_port

DEVELOPMENT = "docker-compose.yml"
PRODUCTION = "docker-compose.production.yml"
# The person whose folder it is. Only root can play another one.
OWNER = 4321 if os.geteuid() == 0 else os.geteuid()


@dataclass(frozen=True)
class Stack:
    """A folder of the owner and its services, at a port that is free on this machine."""

    project: Project
    folder: Path
    name: str
    port: int
    file: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"COMPOSE_PROJECT_NAME": self.name, "COMPOSE_ANSI": "never"}

    def compose(self, *arguments: str, check: bool = True) -> str:
        command = ["docker", "compose", "--file", self.file, *arguments]
        done = run(*command, check=check, cwd=self.folder, env=self.environment, timeout=900)
        return done.stdout.strip()

    def containers(self, service: str) -> list[Container]:
        mine = f"--filter=label=com.docker.compose.project={self.name}"
        its = f"--filter=label=com.docker.compose.service={service}"
        one_off = "--filter=label=com.docker.compose.oneoff=False"
        names = docker("ps", mine, its, one_off, "--format", "{{.Names}}").splitlines()
        return [Container(name) for name in sorted(names)]

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=headers, timeout=35)

    def shows(self, text: str, path: str = "/") -> bool:
        return text in self.get(path).text


@contextlib.contextmanager
def stack_of(project: Project, folder: Path, file: str, *options: str) -> Iterator[Stack]:
    """Have the stack of a copy of the project, which gets a free port instead of 8000."""
    folder = folder / project.core
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    path = folder / file
    text = path.read_text()
    assert text.count('"8000:80"') == 1
    path.write_text(text.replace('"8000:80"', f'"127.0.0.1:{port}:80"'))
    run("chown", "--recursive", f"{OWNER}:{OWNER}", str(folder))

    stack = Stack(project, folder, f"{PREFIX}-{title(project.answers)}-{port}", port, file)
    try:
        stack.compose("up", "--detach", "--build", *options)
        if file == PRODUCTION:
            stack.compose("run", "--rm", "web", "flask", "db", "upgrade")
        eventually(lambda: stack.get("/").status_code == 200, "the page")
        yield stack
    except AssertionError as error:
        error.add_note(f"{project.core}\n{stack.compose('logs', '--tail=40', check=False)}")
        raise
    finally:
        stack.compose("down", "--volumes", "--rmi=local", "--remove-orphans", "--timeout=1")
