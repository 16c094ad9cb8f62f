"""Docker for the tests: containers, networks and stacks that are gone when the tests are."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

# In front of the name of all that this process makes.
PREFIX = f"flask-divio-test-{os.getpid()}"
DOMAIN = "app.example.org"
# As Divio's edge asks: with the real host, and having ended HTTPS.
FORWARDED = {"Host": DOMAIN, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}

TURNED_AWAY = "turned away"


def run(
    *command: str, check: bool = True, timeout: float = 300, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command; what it prints on both streams is its stdout."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        **options,
    )
    if check:
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done


def docker(*arguments: str, **options: Any) -> str:
    return run("docker", *arguments, **options).stdout.strip()


def inspect(name: str, kind: str = "container") -> dict[str, Any]:
    return json.loads(docker(kind, "inspect", name))[0]


def eventually(done: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return what `done` returns as soon as it is true."""
    end = time.monotonic() + seconds
    reason = ""
    while time.monotonic() < end:
        try:
            if result := done():
                return result
        except (AssertionError, OSError) as error:  # requests' errors are OSErrors
            reason = f": {error}"
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}{reason}")


@dataclass(frozen=True)
class Container:
    name: str
    port: int = 80

    @property
    def url(self) -> str:
        address = docker("port", self.name, f"{self.port}/tcp").splitlines()[0]
        return f"http://127.0.0.1:{address.rpartition(':')[2]}"

    def get(self, path: str, **headers: str) -> requests.Response:
        return get(f"{self.url}{path}", **headers)

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


def get(url: str, **headers: str) -> requests.Response:
    sent = FORWARDED | {"Connection": "close"} | headers
    return requests.get(url, headers=sent, allow_redirects=False, timeout=35)


numbers = iter(range(1, 10_000))


@contextlib.contextmanager
def container(
    image: str, *command: str, options: tuple[str, ...] = (), port: int = 80
) -> Iterator[Container]:
    """Have a container in the background, its port published to this machine alone."""
    name = f"{PREFIX}-{next(numbers)}"
    publish = f"--publish=127.0.0.1::{port}"
    docker("run", "--detach", "--name", name, publish, *options, image, *command)
    try:
        yield Container(name, port)
    except BaseException as error:
        error.add_note(f"--- log of {image}\n{docker('logs', '--tail=60', name, check=False)}")
        raise
    finally:
        docker("rm", "--force", "--volumes", name)


@contextlib.contextmanager
def load(
    image: str, network: str, host: str, *paths: str, site: str = DOMAIN, threads: int = 2
) -> Iterator[dict[str, dict[str, int]]]:
    """Ask `host` for paths all the time; when the context ends, tell what came of each how often.

    That is a status, TURNED_AWAY for no byte of an answer, or what cut an answer off.
    """
    script = (Path(__file__).parent / "application" / "load.py").read_text()
    name = f"{PREFIX}-{next(numbers)}"
    run_client = ["docker", "run", "--interactive", "--rm", "--name", name, f"--network={network}"]
    client = ["python", "-c", script, host, site, str(threads), *paths]
    counted: dict[str, dict[str, int]] = {}
    with subprocess.Popen(
        [*run_client, image, *client], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            yield counted
            said, _ = process.communicate(timeout=60)
            counted.update(json.loads(said))
        finally:
            docker("rm", "--force", name, check=False)


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
            docker(kind, "rm", *options, *ours, check=False)
    tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    if ours := [tag for tag in tags if tag.startswith(PREFIX)]:
        docker("image", "rm", "--force", *ours, check=False)
