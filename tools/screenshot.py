"""Take the picture of the welcome page for README.md: python -m tools.screenshot [FILE].

Beside it are the checksums of what makes the page, which tell when the picture is an earlier one's.
"""

import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.harness.browser import browser
from tests.harness.choices import PROJECT, TEMPLATE
from tests.harness.demo import demo

PICTURE = TEMPLATE / "docs" / "welcome.png"
SHOWN = ["static/favicon.svg", "static/style.css", "templates/base.html", "templates/welcome.html"]
SIZE = {"width": 800, "height": 630}


def main(file: str | Path = PICTURE) -> None:
    with (
        TemporaryDirectory() as folder,
        browser(print) as chromium,
        demo("demo", Path(folder)) as (url, _),
    ):
        page = chromium.new_page(viewport=SIZE)
        page.goto(url)
        page.screenshot(path=file)
    Path(file).with_suffix(".sha256").write_text(checksums())


def checksums() -> str:
    """Return a line for each file, as sha256sum prints it."""
    paths = [PROJECT / "{{cookiecutter.package_name}}" / name for name in SHOWN]
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    return "".join(lines)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except pytest.skip.Exception as error:
        sys.exit(str(error))
