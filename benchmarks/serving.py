"""Servers: started for a measurement, looked into, and stopped."""

import contextlib
import http.client
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from servers import free_port, program

from .projects import DOMAIN, Application, tool

SECONDS_TO_START = 30
ADDRESSES = itertools.cycle(range(1, 255))
# As Divio's edge asks: with the real host, and having ended HTTPS.
HEADERS = {
    "Host": DOMAIN,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.7",
    "Connection": "close",
}


@dataclass(frozen=True)
class Server:
    """A process that listens on a port of the loopback interface."""

    process: subprocess.Popen
    port: int
    log: Path

    def url(self, path: str) -> str:
        """Return a URL with another address of the loopback interface each time.

        An address has 28,000 connections a minute, because of those that were closed last.
        """
        return f"http://127.0.0.{next(ADDRESSES)}:{self.port}{path}"

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body."""
        return get(self.port, path)

    def workers(self) -> list[int]:
        """Return the processes that answer requests: uWSGI's router, of one thread, does not."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        pids = [int(pid) for pid in children.split()]
        if "uwsgi" in str(self.process.args):
            pids = [pid for pid in pids if len(list(Path(f"/proc/{pid}/task").iterdir())) > 1]
        return pids


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextlib.contextmanager
def serve(
    application: Application, path: str, command: list[str] | None = None, **settings: str
) -> Iterator[Server]:
    """Run an application until it answers `path` with 200, and stop it in the end."""
    port = free_port()
    command = [part.format(port=port) for part in command or application.command]
    environment = application.environment(PORT=str(port), **settings)
    with running(command, port, application.folder, environment) as server:
        wait(server, path)
        yield server


def steady(
    application: Application, path: str, **settings: str
) -> contextlib.AbstractContextManager[Server]:
    """Do the same with workers that are not replaced."""
    return serve(application, path, application.steady_command, **settings)


@contextlib.contextmanager
def nginx(static: Path, path: str) -> Iterator[Server]:
    """Run nginx with as many workers as the gateway servers have, serving files alone."""
    port, folder = free_port(), static.parent
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(f"""
        daemon off;
        worker_processes 2;
        pid {folder}/nginx.pid;
        error_log stderr;
        {"user root;" if os.geteuid() == 0 else ""}
        events {{}}
        http {{
            sendfile on;
            access_log {folder}/nginx-access.log;
            {folders}
            server {{
                listen {port};
                location /static/ {{ root {folder}; }}
            }}
        }}
    """)
    command = [program("nginx") or "nginx", "-c", f"{folder}/nginx.conf", "-p", str(folder)]
    with running(command, port, folder, dict(os.environ)) as server:
        wait(server, path)
        yield server


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[Server]:
    """Run a local S3 API."""
    port = free_port()
    command = [tool("moto_server"), "--host", "0.0.0.0", "--port", str(port)]
    with running(command, port, folder, dict(os.environ)) as server:
        wait(server, "/moto-api/")
        yield server


@contextlib.contextmanager
def running(
    command: list[str], port: int, folder: Path, environment: dict[str, str]
) -> Iterator[Server]:
    log = folder / f"log-{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Server(process, port, log)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait(server: Server, path: str) -> None:
    end = time.monotonic() + SECONDS_TO_START
    seen: object = "nothing"
    while time.monotonic() < end and server.process.poll() is None:
        try:
            seen, _ = server.get(path)
        except (OSError, http.client.HTTPException) as error:
            seen = error
        if seen == 200:
            return
        time.sleep(0.02)
    raise RuntimeError(f"No answer of status 200 on {path} but {seen}:\n{tail(server.log)}")


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


def memory(pid: int) -> dict[str, float]:
    """Return the megabytes of a process: all it maps, its share of that, and what is its own."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    fields = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    own = fields["Private_Clean:"] + fields["Private_Dirty:"]
    kilobytes = {"RSS": fields["Rss:"], "PSS": fields["Pss:"], "USS": own}
    return {name: value * 1024 / 1e6 for name, value in kilobytes.items()}
