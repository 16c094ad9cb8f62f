"""Real servers: Postgres, and what speaks MySQL's protocol.

Each is the one that a variable names (TEST_POSTGRES_URL, TEST_MYSQL_URL, with the right to make
databases), else a program of this machine, else a container of the image that the local stack has.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import yaml

from tests.harness import engine
from tests.harness.baked import bake
from tests.harness.engine import Container, container
from tests.harness.processes import descendants, eventually, free_port

# Of the servers here, which have no password, by the values of the choice.
ACCOUNTS = {"postgres": "postgres", "mysql": "root"}
PORTS = {"postgres": 5432, "mysql": 3306}
# Folders that are not on PATH, the newest version first.
SERVERS_OF_DEBIAN = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), "/usr/sbin"]
# What a server of a kind needs: one of each list.
PROGRAMS = {"postgres": [["initdb"], ["postgres"]], "mysql": [["mariadbd", "mysqld"]]}


def url_of(kind: str, address: str) -> str:
    """Return the URL of a server's databases up to the last slash."""
    return f"{kind}://{ACCOUNTS[kind]}@{address}"


def program(*names: str) -> str | None:
    """Return the path of the first of these programs that is there."""
    path = os.pathsep.join([*map(str, SERVERS_OF_DEBIAN), os.environ["PATH"]])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def has_programs(kind: str) -> bool:
    return all(program(*names) for names in PROGRAMS[kind])


def source_of(kind: str) -> Callable[[], contextlib.AbstractContextManager[str]] | None:
    """Return what has a server of a kind here, None where nothing does.

    That gives the URL of its databases up to the last slash.
    """
    if url := os.environ.get(f"TEST_{kind.upper()}_URL"):
        return lambda: contextlib.nullcontext(url.rstrip("/"))
    if has_programs(kind):
        return FROM_PROGRAM[kind]
    return IN_CONTAINER[kind] if engine.is_there() else None


@dataclass
class Server:
    """A program that serves databases here, and which a test may stop and freeze."""

    kind: str
    port: int
    command: list[str]
    options: dict[str, Any]

    @property
    def url(self) -> str:
        return url_of(self.kind, f"127.0.0.1:{self.port}")

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, **self.options)
        eventually(lambda: is_ready(self.url), self.url)

    def stop(self) -> None:
        """Stop without waiting for clients to leave."""
        self.thaw()
        self.process.send_signal(STOP[self.kind])
        self.process.wait(30)

    def freeze(self) -> None:
        """Have it say nothing more, though its connections stay."""
        self.signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal_all(signal.SIGCONT)

    def signal_all(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        for process in descendants(self.process.pid):
            with contextlib.suppress(ProcessLookupError):  # Postgres ends some of its own.
                os.kill(process, number)


@contextlib.contextmanager
def server_of(kind: str) -> Iterator[Server]:
    """Have a server of a kind, as its own account where we are root, which these never run as."""
    with tempfile.TemporaryDirectory(prefix=f"{kind}-") as folder:
        user = kind if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        port = free_port()
        make, serve = COMMANDS[kind](folder, port)
        with Path(folder, "log").open("w+") as log:
            options = {"stdout": log, "stderr": log, "user": user, "cwd": folder}
            server = Server(kind, port, serve, options)
            try:
                subprocess.run(make, check=True, **options)
                try:
                    server.start()
                    yield server
                finally:
                    server.stop()
            except (AssertionError, subprocess.CalledProcessError) as error:
                log.seek(0)
                error.add_note(log.read())
                raise


def commands_of_postgres(folder: str, port: int) -> tuple[list[str], list[str]]:
    """Return what makes the files of a server, and what serves them."""
    data = ["-D", f"{folder}/data"]
    make = [program("initdb"), *data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    serve = [program("postgres"), *data, "-p", str(port), "-h", "127.0.0.1", "-F", "-k", folder]
    return make, serve


def commands_of_mysql(folder: str, port: int) -> tuple[list[str], list[str]]:
    server = [program("mariadbd", "mysqld"), "--no-defaults", f"--datadir={folder}/data"]
    make = [*server, "--initialize-insecure"]
    if install := program("mariadb-install-db"):
        make = [install, *server[1:], "--auth-root-authentication-method=normal"]
    serve = [*server, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket"]
    return make, serve


COMMANDS = {"postgres": commands_of_postgres, "mysql": commands_of_mysql}
STOP = {"postgres": signal.SIGINT, "mysql": signal.SIGTERM}


@contextlib.contextmanager
def from_program(kind: str) -> Iterator[str]:
    with server_of(kind) as server:
        yield server.url


@contextlib.contextmanager
def published(kind: str) -> Iterator[str]:
    """Have a container of a server, at a port of this machine."""
    with in_container(kind) as server:
        yield url_of(kind, server.address)


FROM_PROGRAM = {kind: partial(from_program, kind) for kind in PROGRAMS}
IN_CONTAINER = {kind: partial(published, kind) for kind in PROGRAMS}


@contextlib.contextmanager
def in_container(
    kind: str, *options: str, name: str = "", command: tuple[str, ...] = ()
) -> Iterator[Container]:
    """Have the database of the local stack, without its mounts.

    command: what the image runs, its own command otherwise
    """
    with tempfile.TemporaryDirectory() as folder:
        compose = bake(Path(folder), database=kind).text("docker-compose.yml")
    service = yaml.safe_load(compose)["services"]["database_default"]
    health = service["healthcheck"]["test"]
    assert health[0] == "CMD"
    options += (
        *(f"--env={key}={value}" for key, value in service["environment"].items()),
        f"--health-cmd={shlex.join(health[1:])}",
        "--health-interval=1s",
    )
    port = PORTS[kind]
    with container(service["image"], *command, options=options, port=port, name=name) as server:
        eventually(server.is_healthy, f"{server.name} is healthy")
        yield server


def is_ready(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError, pymysql.OperationalError):
        connect(url).close()
        return True
    return False


def connect(url: str) -> psycopg.Connection | pymysql.Connection:
    """Connect to a database, or to a server with the right to make databases."""
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if url.startswith("postgres"):
        return psycopg.connect(url if database else f"{url}/postgres", autocommit=True)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=database or None,
        autocommit=True,
    )


def new_database(url: str, name: str) -> str:
    """Make an empty database and return its URL."""
    quote, options = ('"', " WITH (FORCE)") if url.startswith("postgres") else ("`", "")
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quote}{name}{quote}{options}")
        cursor.execute(f"CREATE DATABASE {quote}{name}{quote}")
    return f"{url}/{name}"
