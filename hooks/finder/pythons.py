"""Which Python the image gets, by what the application declares and what its versions run on."""

import re
from dataclasses import dataclass, field

from . import dependencies as files
from .versions import PYTHONS, compare, numbers, satisfies

# The first versions that can be installed and imported on Python 3.12, 3.13 and 3.14, where older
# ones cannot, though the build stage has a compiler. `None`: every version can.
FIRST = {
    "alembic": ("1.4.2", "1.4.2", "1.4.2"),
    "cffi": ("1.16.0", "1.17.0", "2.0.0"),
    "flask": (None, None, "2.3.3"),
    "greenlet": ("3.0.0", "3.1.0", "3.2.3"),
    "jinja2": ("2.10.3", "2.10.3", "2.10.3"),
    "sqlalchemy": ("1.3.0", "1.3.0", "1.3.15"),
    "werkzeug": ("0.15.0", "0.15.0", "2.3.8"),
}
# Two series of one package, each with a first version of its own.
FIRST_OF_2 = {"sqlalchemy": (None, "2.0.31", "2.0.41")}


@dataclass
class Choice:
    version: str
    because: str | None = None
    problem: str | None = None
    hints: list[str] = field(default_factory=list)
    # `words` of the dependencies, for this Python.
    words: list[str] = field(default_factory=list)


def choose(folder, dependencies, answered):
    """Choose the Python of the image: the answer, unless the application cannot run on it."""
    try:
        demands = list(demanded(folder, dependencies.source))
        wishes = list(wished(folder))
    except files.UnreadableError as error:
        return Choice(answered, problem=str(error))
    allowed = list(PYTHONS)
    for where, specifiers in demands:
        fitting = [version for version in allowed if satisfies(f"{version}.99", specifiers)]
        if not fitting:
            return Choice(answered, problem=none_fits(where, specifiers, demands))
        allowed = fitting

    wishes = [wish for wish in wishes if wish[1]]
    ours = [wish for wish in wishes if wish[1][0] in PYTHONS]
    where, named = next(iter(ours or wishes), ("", []))
    choice = Choice(answered)
    failing = {version: pins_that_fail(dependencies, version) for version in PYTHONS}
    works = [version for version in allowed if not failing[version]]
    wanted = [version for version in named if version in allowed]
    if wanted:
        choice.version = wanted[0]
        choice.because = f"{where} names Python {wanted[0]}"
    elif named:
        newer = [version for version in allowed if compare(numbers(version), numbers(named[0])) > 0]
        choice.version = newer[-1] if newer else allowed[0]
        choice.because = f"{where} names Python {named[0]}, and {choice.version} comes nearest"
        choice.hints.append(
            f"{where} names Python {named[0]}, and the image has {choice.version}: run the tests "
            f"of the application on {choice.version}. What fails there is mostly old versions of "
            "packages, to be raised."
        )
    elif answered in works or (not works and len(allowed) == 1):
        choice.version = answered if answered in allowed else allowed[0]
    elif works:
        choice.version = works[0]
        if answered not in allowed:
            where, specifiers = next(
                each for each in demands if not satisfies(f"{answered}.99", each[1])
            )
            choice.because = f"{where} asks for Python {specifiers}"
        else:
            name, version, first = failing[answered][0]
            choice.because = f"{name} {version} does not run on {answered}, only {first} does"
    else:
        choice.version = allowed[-1]
        choice.because = "its pinned versions are old"
    for name, version, first in failing[choice.version]:
        choice.hints.append(
            f"{dependencies.where.get(name, dependencies.source)} pins {name} {version}, which "
            f"does not work on Python {choice.version}: raise it to {first} or newer"
            f"{' and lock again' if 'lock' in dependencies.source else ''}."
        )
    choice.words = files.words_of(dependencies, choice.version)
    return choice


def pins_that_fail(dependencies, python):
    """Return names, versions and the first versions that work, of what cannot work on a Python."""
    place = PYTHONS[::-1].index(python)
    failing = []
    for name, version in dependencies.packages_on.get(python, {}).items():
        table = FIRST_OF_2 if version and name in FIRST_OF_2 and numbers(version) >= (2,) else FIRST
        first = table.get(name, (None, None, None))[place]
        if version and first and compare(numbers(version), numbers(first)) < 0:
            failing.append((name, version, first))
    return failing


def none_fits(where, specifiers, demands):
    others = [
        f"{other} {asked}" for other, asked in demands if (other, asked) != (where, specifiers)
    ]
    return (
        f"{where} asks for Python {specifiers}"
        f"{' (and ' + ', '.join(others) + ')' if others else ''}, and the image can have "
        f"{', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}, the newest of each: let it allow one of "
        "them, run the tests of the application on it, and lock again if there is a lock."
    )


def demanded(folder, source):
    """Yield where a Python is asked for that installing insists on, and which."""
    pyproject = {}
    path = folder / "pyproject.toml"
    if path.is_file():
        pyproject = files.toml(path)
        asked = files.table(pyproject, "project").get("requires-python")
        if isinstance(asked, str):
            yield files.line_of(path, "requires-python"), asked
        poetry = files.table(pyproject, "tool", "poetry", "dependencies")
        asked = poetry.get("python")
        if isinstance(asked, str):
            yield files.line_of(path, "python ="), files.pinned(asked)
    if source == "uv.lock" or source.startswith("pylock."):
        asked = files.toml(folder / source).get("requires-python")
        if isinstance(asked, str):
            yield files.line_of(folder / source, "requires-python"), asked
    elif source == "poetry.lock":
        asked = files.table(files.toml(folder / source), "metadata").get("python-versions")
        if isinstance(asked, str):
            yield files.line_of(folder / source, f'python-versions = "{asked}"'), asked
    elif source == "Pipfile.lock":
        requires = files.table(files.read_json(folder / source), "_meta", "requires")
        for key in "python_version", "python_full_version":
            if isinstance(requires.get(key), str):
                asked = requires[key]
                yield (
                    files.line_of(folder / source, f'"{key}": "{asked}"'),
                    f"=={asked}" + ".*" * (key == "python_version"),
                )
    asked = files.ini(folder / "setup.cfg").get("options", {}).get("python_requires")
    if asked:
        yield files.line_of(folder / "setup.cfg", "python_requires"), asked
    if (folder / "setup.py").is_file():
        asked = files.setup_arguments(folder).get("python_requires")
        if isinstance(asked, str):
            yield files.line_of(folder / "setup.py", "python_requires"), asked


def wished(folder):
    """Yield where Pythons are named, and those: ours first, the newest first."""
    for name, pattern in {
        ".python-version": r"^\s*(?:cpython-|python-)?(3\.\d+)",
        "runtime.txt": r"^\s*python-?\s*(3\.\d+)",
        ".tool-versions": r"^\s*python\s+(3\.\d+)",
        "Dockerfile": r"^\s*FROM\s+(?:--\S+\s+)?(?:\S+/)?python:(3\.\d+)",
    }.items():
        if (folder / name).is_file():
            found = re.findall(pattern, files.text_of(folder / name), re.M | re.I)
            yield (
                files.line_of(folder / name, sort(found)[0]) if found else name,
                sort(found),
            )
    classifiers = []
    if (folder / "pyproject.toml").is_file():
        content = files.toml(folder / "pyproject.toml")
        classifiers = files.strings(files.table(content, "project").get("classifiers"))
        classifiers += files.strings(files.table(content, "tool", "poetry").get("classifiers"))
        yield "pyproject.toml", classified(classifiers)
    cfg = files.ini(folder / "setup.cfg").get("metadata", {}).get("classifiers", "")
    yield "setup.cfg", classified(cfg.splitlines())
    if (folder / "setup.py").is_file():
        given = files.setup_arguments(folder).get("classifiers")
        yield "setup.py", classified(files.strings(given))


def classified(classifiers):
    found = (re.search(r"Python :: (3\.\d+)", text) for text in classifiers)
    return sort([match[1] for match in found if match])


def sort(versions):
    newest = sorted({*versions}, key=numbers, reverse=True)
    return [each for each in newest if each in PYTHONS] + [
        each for each in newest if each not in PYTHONS
    ]
