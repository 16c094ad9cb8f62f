"""A browser: Debian's Chromium, driven by Playwright, which has an environment of its own."""

from pathlib import Path

from tests.harness.databases import program
from tests.harness.processes import run

# As in the client that drives it: https://playwright.dev/python/docs/release-notes
PLAYWRIGHT = "playwright==1.65.2"


def chromium() -> str | None:
    """Return the path of Chromium, for machine.provide."""
    return program("chromium", "chromium-browser")


def browse(chromium: str, script: str, url: str) -> str:
    """Run a script, and return what it prints.

    It has a `page` of a browser, the `url`, and in `messages` what the browser's console said,
    where violations of the site's policy are too. Raises AssertionError where it fails.
    """
    client = Path(__file__).with_name("browser_client.py")
    python = ["uv", "run", "--quiet", "--no-project", "--with", PLAYWRIGHT, "python"]
    return run(*python, client, chromium, url, stdin=script, timeout=120)
