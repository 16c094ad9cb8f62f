"""A real RabbitMQ, from Debian's package."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.databases import program
from tests.harness.processes import eventually, free_port

# The package's own is for root alone, and writes its logs elsewhere.
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@dataclass(frozen=True)
class Broker:
    """A server at a port of this machine, which may be stopped and started again."""

    port: int
    process: subprocess.Popen

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"


def source() -> Callable[[], AbstractContextManager[Broker]] | None:
    """Return what starts a server, None where there is no program for it."""
    return server if Path(SERVER).exists() and program("epmd") else None


@contextmanager
def server() -> Iterator[Broker]:
    """Have a server, as its own account where we are root."""
    with tempfile.TemporaryDirectory(prefix="rabbitmq-") as folder:
        user = "rabbitmq" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        port, names = free_port(), str(free_port())
        settings = {
            "ERL_EPMD_PORT": names,
            "HOME": folder,  # for the cookie
            "RABBITMQ_CONFIG_FILE": f"{folder}/none",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/none",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": folder,
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }
        with Path(folder, "log").open("w+") as log:
            options = {
                "stdout": log,
                "stderr": log,
                "user": user,
                "cwd": folder,
                "env": os.environ | settings,
            }
            # Erlang would start one that outlives it.
            epmd = subprocess.Popen([program("epmd"), "-port", names], **options)
            broker = Broker(port, subprocess.Popen([SERVER], **options))
            try:
                eventually(lambda: greets(port), broker.url)
                yield broker
            except AssertionError as error:
                log.seek(0)
                error.add_note(log.read())
                raise
            finally:
                broker.process.terminate()
                broker.process.wait(30)
                epmd.terminate()
                epmd.wait(10)


def greets(port: int) -> bool:
    """Return whether a server speaks AMQP there."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"AMQP\0\0\x09\x01")
        return len(connection.recv(8)) > 0
