"""Real servers: Postgres, and what speaks MySQL's protocol.

Each is the one that a variable names (TEST_POSTGRES_URL, TEST_MYSQL_URL, with the right to make
databases), else a program of this machine, else a container of the image that the local stack has.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import yaml

from tests.harness import engine
from tests.harness.baked import bake
from tests.harness.engine import Container, container
from tests.harness.processes import eventually, free_port

# Of the servers here, which have no password, by the values of the choice.
ACCOUNTS = {"postgres": "postgres", "mysql": "root"}
PORTS = {"postgres": 5432, "mysql": 3306}
# Folders that are not on PATH, the newest version first.
SERVERS_OF_DEBIAN = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), "/usr/sbin"]


# Of each row one.
PROGRAMS = {"postgres": [["initdb"], ["postgres"]], "mysql": [["mariadbd", "mysqld"]]}


def url_of(kind: str, address: str) -> str:
    """Return the URL of a server's databases up to the last slash."""
    return f"{kind}://{ACCOUNTS[kind]}@{address}"


def program(*names: str) -> str | None:
    """Return the path of the first of these programs that is there."""
    path = os.pathsep.join([*map(str, SERVERS_OF_DEBIAN), os.environ["PATH"]])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def source_of(kind: str) -> Callable[[], contextlib.AbstractContextManager[str]] | None:
    """Return what has a server of a kind here, None where nothing does.

    That gives the URL of its databases up to the last slash.
    """
    if url := os.environ.get(f"TEST_{kind.upper()}_URL"):
        return lambda: contextlib.nullcontext(url.rstrip("/"))
    if all(program(*names) for names in PROGRAMS[kind]):
        return FROM_PROGRAM[kind]
    return IN_CONTAINER[kind] if engine.is_there() else None


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        port, data = free_port(), f"{folder}/data"
        make = [program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        serve = [program("postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-F"]
        url = url_of("postgres", f"127.0.0.1:{port}")
        with running("postgres", url, Path(folder), [*make, "--no-sync"], [*serve, "-k", folder]):
            yield url


@contextlib.contextmanager
def mysql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="mysql-") as folder:
        server, port = [program("mariadbd", "mysqld"), "--no-defaults"], free_port()
        data = f"--datadir={folder}/data"
        if install := program("mariadb-install-db"):
            make = [install, "--no-defaults", data, "--auth-root-authentication-method=normal"]
        else:
            make = [*server, data, "--initialize-insecure"]
        serve = [*server, data, f"--port={port}", "--bind-address=127.0.0.1"]
        url = url_of("mysql", f"127.0.0.1:{port}")
        with running("mysql", url, Path(folder), make, [*serve, f"--socket={folder}/socket"]):
            yield url


@contextlib.contextmanager
def running(
    account: str, url: str, folder: Path, make: list[str], serve: list[str]
) -> Iterator[None]:
    """Have a server, as `account` where we are root, which these never run as."""
    user = account if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    with (folder / "log").open("w+") as log:
        options = {"stdout": log, "stderr": log, "user": user, "cwd": folder}
        try:
            subprocess.run(make, check=True, **options)
            process = subprocess.Popen(serve, **options)
            try:
                eventually(lambda: is_ready(url), url)
                yield
            finally:
                process.terminate()
                process.wait(30)
        except (AssertionError, subprocess.CalledProcessError) as error:
            log.seek(0)
            error.add_note(log.read())
            raise


@contextlib.contextmanager
def published(kind: str) -> Iterator[str]:
    """Have a container of a server, at a port of this machine."""
    with in_container(kind) as server:
        yield url_of(kind, server.address)


FROM_PROGRAM = {"postgres": postgres, "mysql": mysql}
IN_CONTAINER = {kind: partial(published, kind) for kind in FROM_PROGRAM}


@contextlib.contextmanager
def in_container(kind: str, *options: str, name: str = "") -> Iterator[Container]:
    """Have the database of the local stack, without its mounts."""
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
    with container(service["image"], options=options, port=port, name=name) as server:
        eventually(server.is_healthy, f"{server.name} is healthy")
        yield server


def is_ready(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError, pymysql.OperationalError):
        connect(url).close()
        return True
    return False


def connect(url: str) -> psycopg.Connection | pymysql.Connection:
    """Connect to a server with the right to make databases."""
    if url.startswith("postgres"):
        return psycopg.connect(f"{url}/postgres", autocommit=True)
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
    )


def new_database(url: str, name: str) -> str:
    """Make an empty database and return its URL."""
    quote, options = ('"', " WITH (FORCE)") if url.startswith("postgres") else ("`", "")
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quote}{name}{quote}{options}")
        cursor.execute(f"CREATE DATABASE {quote}{name}{quote}")
    return f"{url}/{name}"
