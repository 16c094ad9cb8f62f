"""Real servers for the tests: Postgres, and what speaks MySQL's protocol.

Each is the one that a variable names (TEST_POSTGRES_URL, TEST_MYSQL_URL, with the right to make
databases), else one that is started here from programs on this machine.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

SECONDS_TO_START = 30


class Closable(Protocol):
    def close(self) -> None: ...


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def program(*names: str) -> str | None:
    """Return the path of a program, also from where Debian hides those of servers."""
    folders = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))), "/usr/sbin"]
    path = os.pathsep.join([*reversed(folders), os.environ["PATH"]])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def missing(what: str) -> None:
    message = f"There is no {what}. 'make bootstrap' installs it on Debian, as root."
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextlib.contextmanager
def running(account: str, folder: Path, *steps: list[str]) -> Iterator[None]:
    """Run commands in turn, as `account` where we are root, and the last one until the end."""
    user = account if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    *preparations, server = steps
    with (folder / "log").open("w+") as log:
        options = {"stdout": log, "stderr": log, "user": user, "cwd": folder}
        for command in preparations:
            subprocess.run(command, check=True, **options)
        process = subprocess.Popen(server, **options)
        try:
            yield
        except TimeoutError:
            log.seek(0)
            pytest.fail(log.read())
        finally:
            process.terminate()
            process.wait(30)


def wait_for(connect: Callable[[str], Closable], url: str) -> None:
    """Wait until a connection succeeds. Raises TimeoutError."""
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        with contextlib.suppress(OSError, psycopg.OperationalError, pymysql.OperationalError):
            connect(url).close()
            return
        time.sleep(0.1)  # nothing tells of a server that starts but its answer
    raise TimeoutError(url)


def connect_postgres(url: str) -> psycopg.Connection:
    return psycopg.connect(f"{url}/postgres", autocommit=True)


def connect_mysql(url: str) -> pymysql.Connection:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
    )


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Have a Postgres; the URL of its databases up to the last slash."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url.rstrip("/")
        return
    initdb, server = program("initdb"), program("postgres")
    if not initdb or not server:
        missing("Postgres, nor a URL in TEST_POSTGRES_URL")
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        port, data = free_port(), f"{name}/data"
        make = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        serve = [server, "-D", data, "-p", str(port), "-k", name, "-h", "127.0.0.1", "-F"]
        with running("postgres", Path(name), make, serve):
            url = f"postgres://postgres@127.0.0.1:{port}"
            wait_for(connect_postgres, url)
            yield url


@contextlib.contextmanager
def mysql() -> Iterator[str]:
    """Have a MySQL or MariaDB; the URL of its databases up to the last slash."""
    if url := os.environ.get("TEST_MYSQL_URL"):
        yield url.rstrip("/")
        return
    server, install = program("mariadbd", "mysqld"), program("mariadb-install-db")
    if not server:
        missing("MySQL or MariaDB, nor a URL in TEST_MYSQL_URL")
    with tempfile.TemporaryDirectory(prefix="mysql-") as name:
        port, data = free_port(), f"--datadir={name}/data"
        if install:
            make = [install, "--no-defaults", data, "--auth-root-authentication-method=normal"]
        else:
            make = [server, "--no-defaults", data, "--initialize-insecure"]
        serve = [
            *[server, "--no-defaults", data, f"--port={port}", "--bind-address=127.0.0.1"],
            f"--socket={name}/socket",
        ]
        with running("mysql", Path(name), make, serve):
            url = f"mysql://root@127.0.0.1:{port}"
            wait_for(connect_mysql, url)
            yield url


def new_database(url: str, name: str) -> str:
    """Make an empty database and return its URL."""
    if url.startswith("postgres"):
        with connect_postgres(url) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
    else:
        with connect_mysql(url) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(f"CREATE DATABASE `{name}`")
    return f"{url}/{name}"
