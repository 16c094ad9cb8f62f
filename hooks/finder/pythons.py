"""Which Python the image gets, by what the application declares and what its versions run on."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .dependencies import Dependencies, requirements_files, words_of
from .formats import (
    UnreadableError,
    ini,
    line_of,
    read_json,
    setup_arguments,
    string,
    strings,
    table,
    text_of,
    toml,
)
from .versions import PYTHONS, compare, numbers, satisfies

# Package, beginning with which version, and the first version that can be installed and imported on
# 3.12, 3.13 and 3.14, with the compiler and the headers that the build stage has; None: all can.
FIRST = [
    ("alembic", "0", "1.0.5", "1.0.5", "1.0.5"),
    ("botocore", "0", "1.24.0", "1.29.20", "1.29.20"),
    ("celery", "0", "5.0.0", "5.0.0", "5.0.0"),
    ("cffi", "0", "1.16.0", "1.17.0", "2.0.0"),
    ("eventlet", "0", "0.34.1", "0.38.2", "0.38.2"),
    ("flask", "0", "0.11.1", "0.11.1", "2.3.3"),
    ("flask", "1", "1.0.3", "1.0.3", "2.3.3"),
    ("gevent", "0", "23.7.0", "24.10.1", "24.11.1"),
    ("greenlet", "0", "3.0.0", "3.1.0", "3.2.3"),
    ("html5lib", "0", "1.1", "1.1", "1.1"),
    ("jinja2", "0", "2.10.2", "2.10.2", "2.10.2"),
    ("lxml", "0", "4.9.3", "5.3.0", "6.0.1"),
    ("markdown", "0", "2.6.11", "2.6.11", "2.6.11"),
    ("markupsafe", "0", "1.1.0", "1.1.0", "1.1.0"),
    ("multidict", "0", "6.0.5", "6.0.5", "6.0.5"),
    ("mysqlclient", "0", "1.4.6", "1.4.6", "1.4.6"),
    ("numpy", "0", "1.26.0", "1.26.4", "1.26.4"),
    ("pandas", "0", "2.1.1", "2.2.3", "2.3.3"),
    ("pillow", "0", "10.0.0", "10.4.0", "11.3.0"),
    ("psycopg-binary", "0", "3.1.12", "3.2.2", "3.2.10"),
    ("psycopg2", "0", "2.9.3", "2.9.10", "2.9.10"),
    ("psycopg2-binary", "0", "2.9.3", "2.9.10", "2.9.10"),
    ("pydantic-core", "0", "2.1.2", "2.20.0", "2.35.0"),
    ("pyyaml", "0", "5.1", "5.1", "5.1"),
    ("pyyaml", "5.4", "6.0.1", "6.0.1", "6.0.1"),
    ("requests", "0", "2.16.0", "2.19.1", "2.19.1"),
    ("six", "0", "1.16.0", "1.16.0", "1.16.0"),
    ("sqlalchemy", "0", "1.2.14", "1.2.14", "1.3.12"),
    ("sqlalchemy", "2", None, "2.0.31", "2.0.41"),
    ("typing-extensions", "4.4", None, "4.12.0", "4.12.0"),
    ("urllib3", "0", "1.26.5", "1.26.5", "1.26.5"),
    ("uwsgi", "0", "2.0.23", "2.0.27", "2.0.30"),
    ("werkzeug", "0", "0.15.3", "0.15.3", "2.3.5"),
]
# What is edited in place of a lock.
LOCKED = {"Pipfile.lock": "Pipfile", "poetry.lock": "pyproject.toml", "uv.lock": "pyproject.toml"}


@dataclass
class Choice:
    """The Python of the image, the words of what the application brings on it, and why."""

    version: str
    because: str | None = None
    problem: str | None = None
    hints: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def choose(folder: Path, dependencies: Dependencies, answered: str) -> Choice:
    """Choose the answered Python, or the best that the application names, allows and runs on.

    The newest is the default, which need not be an answer; another one somebody has chosen.
    """
    choice = Choice(answered)
    if not dependencies.source:
        return choice
    try:
        demands = list(demanded(folder, dependencies.source))
        wishes = [wish for wish in wished(folder) if wish[1]]
    except UnreadableError as error:
        choice.problem = str(error)
        return choice

    allowed = list(PYTHONS)
    for where, asked in demands:
        fitting = [version for version in allowed if satisfies(f"{version}.99", asked)]
        if not fitting:
            choice.problem = none_fits(demands, where)
            others = requirements_files(folder)
            if others and dependencies.source in LOCKED:
                choice.problem += f" Or install from another file: found='auto {others[0]}'."
            return choice
        allowed = fitting
    failing = {version: versions_that_fail(dependencies, version) for version in PYTHONS}
    working = [version for version in allowed if not failing[version]]

    where, named = next(
        (wish for wish in wishes if wish[1][0] in allowed), wishes[0] if wishes else ("", [])
    )
    if answered != PYTHONS[0] and answered in allowed:
        choice.because = "answered"
    elif named and named[0] in allowed:
        choice.version = named[0]
        choice.because = f"{where} names Python {named[0]}"
    elif named:
        newer = [each for each in allowed if compare(numbers(each), numbers(named[0])) > 0]
        choice.version = newer[-1] if newer else allowed[0]
        choice.because = f"{where} names Python {named[0]}, and {choice.version} comes nearest"
        choice.hints.append(
            f"{where} names Python {named[0]}, and the image has {choice.version}: run the tests "
            f"of the application on {choice.version}. What fails there is mostly old versions of "
            "packages, to be raised."
        )
    elif answered not in working:
        choice.version = working[0] if working else allowed[-1]
        if answered not in allowed:
            where, asked = next(
                each for each in demands if not satisfies(f"{answered}.99", each[1])
            )
            choice.because = f"{where} asks for Python {asked}"
        elif working:
            name, version, _ = failing[answered][0]
            choice.because = f"{name} {version} is too old for Python {answered}"
        else:
            choice.because = "locked versions are older than every Python of ours"

    old = [
        f"{name} {version}{f' ({place})' if ':' in place else ''} to {first}"
        for name, version, first in failing[choice.version]
        for place in [dependencies.place(name)]
    ]
    if old:
        again = " and lock again" if "lock" in dependencies.source else ""
        choice.hints.append(
            f"{dependencies.source} asks for versions that are too old for Python "
            f"{choice.version}: raise {', '.join(old)} or newer{again}."
        )
    choice.words = words_of(dependencies, choice.version)
    return choice


def versions_that_fail(dependencies: Dependencies, python: str) -> list[tuple[str, str, str]]:
    """Return names, versions and the first versions that work, of what cannot work on a Python."""
    column = 2 + PYTHONS[::-1].index(python)
    firsts = {}
    packages = dependencies.packages_on[python]
    for row in FIRST:
        version = packages.get(row[0])
        if version and compare(numbers(version), numbers(row[1])) >= 0:
            firsts[row[0]] = row[column]
    return [
        (name, packages[name], first)
        for name, first in firsts.items()
        if first and compare(numbers(packages[name]), numbers(first)) < 0
    ]


def none_fits(demands: list[tuple[str, str]], where: str) -> str:
    name = where.partition(":")[0]
    name = LOCKED.get(name, name)
    asked = ", ".join(f"{other} asks for Python {wanted}" for other, wanted in demands)
    return (
        f"{asked}, and the image can have {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}, the newest "
        f"of each: let {name} allow one of them, run the tests of the "
        "application on it, and lock again if there is a lock."
    )


def demanded(folder: Path, source: str) -> Iterator[tuple[str, str]]:
    """Yield where a Python is asked for that the installers insist on, and which."""
    path = folder / source
    if (folder / "pyproject.toml").is_file():
        content = toml(folder / "pyproject.toml")
        asked = string(table(content, "project").get("requires-python"))
        if asked:
            yield line_of(folder / "pyproject.toml", "requires-python"), asked
        asked = string(table(content, "tool", "poetry", "dependencies").get("python"))
        if asked:
            yield line_of(folder / "pyproject.toml", "python ="), plain(asked)
    if source == "uv.lock" or source.startswith("pylock."):
        asked = string(toml(path).get("requires-python"))
        if asked:
            yield line_of(path, "requires-python"), asked
    elif source == "poetry.lock":
        asked = string(table(toml(path), "metadata").get("python-versions"))
        if asked:
            yield line_of(path, f'python-versions = "{asked}"'), plain(asked)
    elif source == "Pipfile.lock":
        requires = table(read_json(path), "_meta", "requires")
        for key in "python_version", "python_full_version":
            asked = string(requires.get(key))
            if asked:
                yield line_of(path, f'"{key}": "{asked}"'), plain(asked)
    asked = ini(folder / "setup.cfg").get("options", {}).get("python_requires")
    if asked:
        yield line_of(folder / "setup.cfg", "python_requires"), asked
    asked = string(setup_arguments(folder).get("python_requires"))
    if asked:
        yield line_of(folder / "setup.py", "python_requires"), asked


def plain(asked: str) -> str:
    """Write a version that stands without an operator, such as `3.12`, as pip does."""
    return f"=={asked}.*" if re.fullmatch(r"\d+\.\d+", asked) else asked


def wished(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield where Pythons are named, and those: ours first, the newest first."""
    for name, pattern in {
        ".python-version": r"^\s*(?:cpython-|python-)?(3\.\d+)",
        "runtime.txt": r"^\s*python-?\s*(3\.\d+)",
        ".tool-versions": r"^\s*python\s+(3\.\d+)",
        "Dockerfile": r"^\s*FROM\s+(?:--\S+\s+)?(?:\S+/)?python:(3\.\d+)",
    }.items():
        path = folder / name
        if path.is_file():
            lines = text_of(path).splitlines()
            found: dict[str, str] = {}
            for number, line in enumerate(lines, 1):
                if match := re.match(pattern, line, re.IGNORECASE):
                    found.setdefault(match[1], f"{name}:{number}")
            named = sort(found)
            yield found[named[0]] if named else name, named
    classifiers = []
    if (folder / "pyproject.toml").is_file():
        content = toml(folder / "pyproject.toml")
        for keys in ("project",), ("tool", "poetry"):
            classifiers += strings(table(content, *keys).get("classifiers"))
        yield "pyproject.toml", classified(classifiers)
    cfg = ini(folder / "setup.cfg").get("metadata", {})
    yield "setup.cfg", classified(cfg.get("classifiers", "").splitlines())
    yield "setup.py", classified(strings(setup_arguments(folder).get("classifiers")))


def classified(classifiers: list[str]) -> list[str]:
    found = (re.search(r"Python :: (3\.\d+)", text) for text in classifiers)
    return sort(match[1] for match in found if match)


def sort(versions: Iterable[str]) -> list[str]:
    newest = sorted({*versions}, key=numbers, reverse=True)
    return sorted(newest, key=lambda version: version not in PYTHONS)
