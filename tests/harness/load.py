"""Load: visitors that ask all the time, in a process of their own."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.harness import edge

TURNED_AWAY = "turned away"


@contextlib.contextmanager
def loading(
    python: list[str], host: str, *paths: str, site: str = edge.DOMAIN, threads: int = 2
) -> Iterator[dict[str, dict[str, int]]]:
    """Ask `host` for paths all the time; when the context ends, tell what came of each how often.

    That is a status, TURNED_AWAY for no byte of an answer, or what cut an answer off.

    python: the command of an interpreter
    """
    script = Path(__file__).with_name("load_client.py").read_text()
    command = [*python, "-c", script, host, site, str(threads), *paths]
    counted: dict[str, dict[str, int]] = {}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            yield counted
            said, _ = process.communicate(timeout=60)
            counted.update(json.loads(said))
        finally:
            process.kill()


def assert_none_is_lost(answers: dict[str, dict[str, int]], log: str) -> None:
    """Check that each request that reached a view of the tests was answered.

    A load balancer asks the next container for what this one turned away unread.
    """
    for path, counts in answers.items():
        begun = len(re.findall(rf" begun {re.escape(path.partition('?')[0])}$", log, re.MULTILINE))
        assert set(counts) - {TURNED_AWAY} == {"200"}, f"{path}: {answers}"
        assert counts["200"] == begun, f"{path}: {begun} begun, {answers}"
