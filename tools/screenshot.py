"""Take the picture of the welcome page for README.md: python -m tools.screenshot [FILE]."""

import hashlib
import struct
import sys
import zlib
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
        png = page.screenshot()
    Path(file).write_bytes(noted(png, hash_of_page()))


def hash_of_page() -> str:
    """Return what changes with the page, and tells that the picture is of an earlier one."""
    package = PROJECT / "{{cookiecutter.package_name}}"
    return hashlib.sha256(b"".join((package / name).read_bytes() for name in SHOWN)).hexdigest()


def noted(png: bytes, text: str) -> bytes:
    """Return the picture with a text, in a chunk before the last one, which has 12 bytes."""
    content = b"tEXtPage\0" + text.encode()
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return png[:-12] + chunk + png[-12:]


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except pytest.skip.Exception as error:
        sys.exit(str(error))
