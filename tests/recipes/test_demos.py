"""The demos: `make demo-blog`, used in a browser, and `make demo`, of which a picture is taken."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser

from tests.harness import blog
from tests.harness.browser import SCREENS
from tests.harness.choices import TEMPLATE
from tests.harness.demo import demo
from tests.harness.processes import run
from tools.screenshot import SIZE, checksums


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of the blog, and what the terminal shows."""
    with demo("demo-blog", tmp_path_factory.mktemp("demo-blog"), "/posts/") as served:
        yield served


@pytest.mark.parametrize("screen", SCREENS)
def test_blog_is_used(served: tuple[str, Path], browser: Browser, screen: str) -> None:
    url, log = served
    blog.use(browser, url, screen, log.read_text)


def test_api_is_asked_with_the_token_that_is_shown(served: tuple[str, Path]) -> None:
    url, log = served
    [header] = re.findall(r"'Authorization: (Bearer .+)'", log.read_text())
    statuses = [
        requests.get(f"{url}/api/items", headers=headers, timeout=5).status_code
        for headers in ({"Authorization": header}, {})
    ]
    assert statuses == [200, 401]


def test_picture_is_taken(tmp_path: Path) -> None:
    picture = tmp_path / "welcome.png"

    run("make", "screenshot", f"ARGS={picture}", folder=TEMPLATE)

    png = picture.read_bytes()
    assert struct.unpack(">II", png[16:24]) == (SIZE["width"], SIZE["height"])
    assert len(png) < 60_000
    assert picture.with_suffix(".sha256").read_text() == checksums()
