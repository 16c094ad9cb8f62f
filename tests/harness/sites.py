"""Projects that run here, by the command of their image."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.harness import edge
from tests.harness.baked import Baked
from tests.harness.processes import eventually, free_port

# Docker kills a container ten seconds after it asked it to stop.
SECONDS_TO_STOP = 10


def gateway_server(project: Baked) -> list[str]:
    """Return the command of the image."""
    return json.loads(project.text("Dockerfile").rpartition("\nCMD ")[2])


def let_root_serve(project: Baked) -> None:
    """Where we are root, keep the server so: www-data could not read the folders of tests."""
    settings = {"gunicorn": "gunicorn.conf.py", "uwsgi": "uwsgi.ini"}
    path = project.folder / settings[project.answers["gateway_server"]]
    assert "www-data" in path.read_text()
    if os.geteuid() == 0:
        path.write_text(path.read_text().replace("www-data", "root"))


@dataclass(frozen=True)
class Site:
    """A running project."""

    project: Baked
    url: str
    settings: dict[str, str]
    process: subprocess.Popen
    log: Path

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    def get(self, path: str, **headers: str) -> requests.Response:
        return edge.get(self.url + path, **headers)

    def stop(self) -> None:
        """Ask it to stop, as Docker does, and have it end well in time."""
        self.process.terminate()
        assert self.process.wait(SECONDS_TO_STOP) == 0, self.log.read_text()


@contextmanager
def serve(project: Baked, settings: dict[str, str], page: str = "/healthz") -> Iterator[Site]:
    """Run the command of the image.

    page: what is there as soon as the project answers
    """
    port = free_port()
    log = project.folder.parent / f"log-{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            gateway_server(project),
            cwd=project.folder,
            env=project.environment(**settings | {"PORT": f" {port} "}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    site = Site(project, f"http://127.0.0.1:{port}", settings, process, log)
    try:
        eventually(lambda: site.get(page), site.url, 30)
        yield site
    except AssertionError as error:
        error.add_note(log.read_text())
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # uWSGI's workers would outlive it
        process.wait()
