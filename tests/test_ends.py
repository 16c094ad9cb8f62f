"""What the template uses, and when it ends: a test fails 90 days before."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.harness.choices import CHOICES, TEMPLATE
from tests.harness.updates import history

NOTICE = timedelta(days=90)
NEVER = date.max
# For what has no date yet: the day to look for one at its source.
LOOK_AGAIN = date(2028, 1, 1)

DOCKER_HUB = "https://hub.docker.com/_"
ORACLE = "https://www.oracle.com/us/support/library/lifetime-support-technology-069183.pdf"
PYTHON = "https://devguide.python.org/versions/"
RUNNERS = "https://github.com/actions/runner-images"

# By image and version, Debian's name, or runner. Python 3.11 is the oldest that the code runs on.
ENDS = {
    "python:3.11": (date(2027, 10, 31), PYTHON),
    "python:3.12": (date(2028, 10, 31), PYTHON),
    "python:3.13": (date(2029, 10, 31), PYTHON),
    "python:3.14": (date(2030, 10, 31), PYTHON),
    "trixie": (date(2028, 8, 9), "https://wiki.debian.org/DebianReleases"),
    # Divio's: the local stack has what Divio has.
    "postgres:15": (date(2027, 11, 11), "https://www.postgresql.org/support/versioning/"),
    "mysql:8.4": (date(2032, 4, 30), ORACLE),
    "nginx:stable": (NEVER, f"{DOCKER_HUB}/nginx"),  # follows each release
    "mcr.microsoft.com/azure-storage/azurite:3.37.0": (
        LOOK_AGAIN,
        "https://github.com/Azure/Azurite/releases",
    ),
    "axllent/mailpit:v1.27": (LOOK_AGAIN, "https://github.com/axllent/mailpit/releases"),
    "node:22": (date(2027, 4, 30), "https://github.com/nodejs/Release"),
    "rabbitmq:4": (LOOK_AGAIN, "https://www.rabbitmq.com/release-information"),
    "redis:8": (LOOK_AGAIN, "https://github.com/redis/redis/security"),
    "valkey/valkey:9": (date(2028, 10, 21), "https://valkey.io/topics/releases/"),
    # GitHub keeps the two newest of each system. Its announcements give about half a year.
    "ubuntu-24.04": (LOOK_AGAIN, RUNNERS),
    "macos-15": (date(2027, 11, 1), RUNNERS),  # a year after macos-14, issue 13518 there
    "windows-2025": (LOOK_AGAIN, RUNNERS),
}
VARIANTS_WITHOUT_END = {"alpine", "slim"}

FILES = [
    *[".github", "cookiecutter.json", "docs", "pyproject.toml", "templates"],
    "{{cookiecutter.project_slug}}",
]
USES = re.compile(
    r"(?:\bimage:|\bFROM|- name:) +([a-z][\w./-]*:[\w.-]+)"  # in Compose, Dockerfiles and GitLab
    r"|'([a-z]+:\d[\w.-]*)'"  # in templates/celery.txt
    r"|\b((?:ubuntu|macos|windows)-(?:\d[\w.]*|latest))"
    r'|"(?:>=)?(3\.\d+)"'
)


def used() -> dict[str, set[str]]:
    """Return the files that use each image, Debian, runner and Python."""
    found = defaultdict(set)
    for name in history("ls-files", "--", *FILES).splitlines():
        text = (TEMPLATE / name).read_bytes().decode(errors="ignore")
        text = text.replace("{{ cookiecutter.python_version }}", CHOICES["python_version"][0])
        for image, other_image, runner, python in USES.findall(text):
            place, _, tag = (image or other_image or f"python:{python}").rpartition(":")
            version, *variants = tag.split("-")
            names = [runner] if runner else [f"{place}:{version}", *variants]
            for kind in {*names} - VARIANTS_WITHOUT_END:
                found[kind].add(name)
    return found


USED = used()


@pytest.mark.parametrize("kind", sorted(USED))
def test_what_is_used_does_not_end_soon(kind: str) -> None:
    places = ", ".join(sorted(USED[kind]))
    assert kind in ENDS, f"{kind}, in {places}: find when it ends, and write it into ENDS"
    end, source = ENDS[kind]
    what = "has to be looked up" if end == LOOK_AGAIN else f"is {end}"
    assert datetime.now(UTC).date() + NOTICE < end, (
        f"the end of {kind} {what}, see {source}. It is used in {places}."
    )


def test_each_end_is_of_something_that_is_used() -> None:
    assert [kind for kind in ENDS if kind not in USED] == []
