"""`make demo-blog`: recipes together, used in a browser."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser

from tests.harness import blog
from tests.harness.browser import SCREENS
from tests.harness.choices import TEMPLATE
from tests.harness.processes import environment, eventually, free_port


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of the blog, and what the terminal shows."""
    folder = tmp_path_factory.mktemp("demo-blog")
    log, port = folder / "log", free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "demo-blog", f"PORT={port}"],
            cwd=TEMPLATE,
            env=environment() | {"TMPDIR": str(folder)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        return requests.get(f"{url}/posts/", timeout=5).ok

    try:
        eventually(answers, f"{url}: {log.read_text()}", 300)
        yield url, log
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl+C does
        process.wait(30)
        assert list(folder.iterdir()) == [log]


@pytest.mark.parametrize("screen", SCREENS)
def test_blog_is_used(demo: tuple[str, Path], browser: Browser, screen: str) -> None:
    url, log = demo
    blog.use(browser, url, screen, log.read_text)


def test_api_is_asked_with_the_token_that_is_shown(demo: tuple[str, Path]) -> None:
    url, log = demo
    [header] = re.findall(r"'Authorization: (Bearer .+)'", log.read_text())
    statuses = [
        requests.get(f"{url}/api/items", headers=headers, timeout=5).status_code
        for headers in ({"Authorization": header}, {})
    ]
    assert statuses == [200, 401]
