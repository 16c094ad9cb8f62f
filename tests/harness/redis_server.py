"""A real Redis, from Debian's package."""

import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.databases import program
from tests.harness.processes import eventually, free_port


def find() -> str | None:
    """Return the path of the program."""
    return program("redis-server")


@dataclass
class Server:
    """A server at a port of this machine, which a test may stop and freeze. It keeps no file."""

    port: int
    command: list[str]
    log: Path

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        eventually(lambda: self.say("PING") == "+PONG", self.url)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        """Have it say nothing more, though its connections stay."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def clients(self) -> int:
        """Return how many connections there are, without that which asks."""
        return self.say("CLIENT LIST").count(" addr=") - 1

    def say(self, command: str) -> str:
        """Return the answer to a command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"{command}\r\nQUIT\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
        return answer.removesuffix("+OK\r\n").strip()


@contextmanager
def server(*options: str) -> Iterator[Server]:
    """Have a server, with further options of its program."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        port, log = free_port(), Path(folder, "log")
        command = [find(), f"--port {port}", "--bind 127.0.0.1", f"--dir {folder}", "--save", ""]
        running = Server(port, [*command, *options], log)
        try:
            running.start()
            yield running
        except AssertionError as error:
            error.add_note(log.read_text())
            raise
        finally:
            running.stop()
