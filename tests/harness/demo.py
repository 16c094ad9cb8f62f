"""What `make demo` and `make demo-blog` serve."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from tests.harness.choices import TEMPLATE
from tests.harness.processes import environment, eventually, free_port


@contextmanager
def demo(goal: str, folder: Path, page: str = "/") -> Iterator[tuple[str, Path]]:
    """Yield the URL, and the file with what the terminal shows.

    folder: an empty one, in which the demo has to leave nothing
    page: what is there as soon as it answers
    """
    log, port = folder / "log", free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", goal, f"PORT={port}"],
            cwd=TEMPLATE,
            env=environment() | {"TMPDIR": str(folder)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        return requests.get(url + page, timeout=5).ok

    try:
        eventually(answers, f"{url}: {log.read_text()}", 300)
        yield url, log
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl+C does
        process.wait(30)
        assert list(folder.iterdir()) == [log]
