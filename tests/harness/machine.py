"""What the tests need of this machine besides Python."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from tests.harness.choices import TEMPLATE
from tests.harness.processes import run

Found = TypeVar("Found")


def provide(find: Callable[[], Found | None], what: str, say: Callable[[str], None]) -> Found:
    """Return what `find` returns, after installing what the tests need if it is nothing at first.

    Where that cannot be installed, the test is skipped, and fails in continuous integration. `find`
    may also raise an AssertionError, which says why there is nothing.
    """
    found, reason = attempt(find)
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        with Path(tempfile.gettempdir(), "flask-divio-bootstrap.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found, reason = attempt(find)  # another process may have had the lock
            if not found:
                say(f"There is no {what}: installing what 'make bootstrap' does.")
                run("make", "bootstrap", folder=TEMPLATE, fails=None)
                found, reason = attempt(find)
    return found or missing(what, reason)


def attempt(find: Callable[[], Found | None]) -> tuple[Found | None, str]:
    try:
        return find(), ""
    except AssertionError as error:
        return None, str(error)


def missing(what: str, reason: str = "") -> NoReturn:
    message = f"There is no {what}. 'make bootstrap' installs it on Debian, as root.\n{reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
