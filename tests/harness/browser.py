"""Chromium, and what it and axe have to say about pages."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.harness.choices import TEMPLATE
from tests.harness.databases import program
from tests.harness.machine import provide

AXE = TEMPLATE / "node_modules" / "axe-core" / "axe.min.js"  # `make` installs it

# Widths and heights of a phone and of a laptop.
SCREENS = {"phone": (390, 844), "laptop": (1280, 800)}


def chromium() -> str | None:
    """Return the path of what CHROMIUM names, or of Debian's or Google's."""
    return program(os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")


@contextmanager
def browser(say: Callable[[str], None]) -> Iterator[Browser]:
    path = provide(chromium, "Chromium", say)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


def window(browser: Browser, site: str, screen: str = "laptop", **options: Any) -> BrowserContext:
    """Return the window of a visitor of a site, who has no cookies yet.

    options: of Playwright's new_context
    """
    width, height = SCREENS[screen]
    viewport = {"width": width, "height": height}
    context = browser.new_context(base_url=site, viewport=viewport, **options)
    context.set_default_timeout(10_000)
    return context


def complaints(page: Page) -> list[str]:
    """Return a list to which is added what the page says on the console, as of the CSP."""
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    return said


def obstacles(page: Page) -> list[str]:
    """Return what axe finds on the page that keeps people out: of serious or critical impact.

    And whether the page is wider than the window, so that one has to scroll sideways.
    """
    # Not as a script element, which the page's policy forbids.
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run()")["violations"]
    serious = [
        f"{page.url}: {rule['help']}: {node['html']}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return serious + [f"{page.url} is wider than the window"] * wide
