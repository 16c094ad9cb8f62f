"""A real RabbitMQ, from Debian's package."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.databases import program
from tests.harness.processes import descendants, eventually, free_port

# What the package has on PATH writes elsewhere than we say.
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


@dataclass
class Broker:
    """A server at a port of this machine, which a test may stop and freeze."""

    port: int
    options: dict[str, Any]

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        self.process = subprocess.Popen([SERVER], **self.options)
        eventually(self.greets, self.url)

    def stop(self) -> None:
        """Stop, and keep what it was given to keep."""
        self.process.terminate()
        self.process.wait(30)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it say nothing more, though its connections stay."""
        processes = descendants(self.process.pid)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def greets(self) -> bool:
        """Return whether it speaks AMQP."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"AMQP\0\0\x09\x01")
            return len(connection.recv(8)) > 0


def source() -> Callable[[], AbstractContextManager[Broker]] | None:
    """Return what starts a server, None where there is no program for it."""
    return server if Path(SERVER).exists() else None


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
            env = os.environ | settings
            options = {"stdout": log, "stderr": log, "user": user, "cwd": folder, "env": env}
            # Erlang would start one that outlives it.
            epmd = subprocess.Popen([program("epmd"), "-port", names], **options)
            broker = Broker(port, options)
            try:
                try:
                    broker.start()
                    yield broker
                finally:
                    broker.stop()
            except AssertionError as error:
                log.seek(0)
                error.add_note(log.read())
                raise
            finally:
                epmd.terminate()
                epmd.wait(10)
