"""Azurite: Azure Blob Storage by its maker, to develop with. npm installs it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import requests

from tests.harness.choices import TEMPLATE
from tests.harness.processes import eventually, free_port

PROGRAM = TEMPLATE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
ACCOUNT = "divio"
KEY = "storage/secret=="

# The code that makes the container of a DSN in a project.
MAKE_CONTAINER = """
import sys
from my_flask_app.media import from_dsn
from_dsn(sys.argv[1]).client.create_container(public_access="blob")
"""


@contextmanager
def serve_azurite() -> Iterator[int]:
    """Run it at all addresses of this machine, and tell its port."""
    port = free_port()
    command = ["node", PROGRAM, "--blobHost", "0.0.0.0", "--blobPort", str(port)]
    with TemporaryDirectory(prefix="azurite-") as folder, Path(folder, "log").open("w+") as log:
        process = subprocess.Popen(
            [*command, "--inMemoryPersistence", "--disableTelemetry", "--silent"],
            cwd=folder,
            env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=log,
            stderr=log,
        )
        try:
            root = f"http://127.0.0.1:{port}/"
            eventually(lambda: requests.get(root, timeout=5).status_code, "Azurite")
            yield port
        except AssertionError as error:
            log.seek(0)
            error.add_note(log.read())
            raise
        finally:
            process.terminate()
            process.wait(30)


def dsn_of(container: str, host: str, port: int) -> str:
    endpoint = f"http://{host}:{port}/{ACCOUNT}"
    return f"az://{ACCOUNT}:{quote(KEY, safe='')}@/{container}?endpoint={quote(endpoint, safe='')}"
