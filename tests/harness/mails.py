"""A server that takes mails."""

import mailbox
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.baked import Baked
from tests.harness.processes import eventually, free_port


@dataclass(frozen=True)
class Inbox:
    """What was sent to the server at a URL."""

    url: str
    folder: Path

    def take(self) -> dict[str, str]:
        """Return the texts of the mails that have come, by their addresses, and delete these."""
        mails = mailbox.Maildir(self.folder)
        texts = {mail["To"]: mail.get_payload(decode=True).decode() for mail in mails}
        mails.clear()
        return texts


@contextmanager
def inbox(project: Baked, folder: Path) -> Iterator[Inbox]:
    """Run a server of mails, with what the recipe for mail installs in a project.

    A mail that it has accepted is in the inbox.
    """
    port = free_port()
    serve = [
        project.bin / "python",
        "-m",
        "aiosmtpd",
        "--nosetuid",
        "--listen",
        f"127.0.0.1:{port}",
    ]
    keep = ["--class", "aiosmtpd.handlers.Mailbox", folder / "mails"]
    process = subprocess.Popen([*serve, *keep])
    try:
        address = ("127.0.0.1", port)
        eventually(
            lambda: socket.create_connection(address).close() or True, "server for mails", 10
        )
        yield Inbox(f"smtp://127.0.0.1:{port}", folder / "mails")
    finally:
        process.kill()
        process.wait()
