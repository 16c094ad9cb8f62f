"""What an application requires, and from which of its files that is installed.

Everything is parsed, and nothing imported or run.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .formats import Reader, Requirement, UnreadableError, table, toml
from .versions import PYTHONS, compare, is_below, numbers

# What the baked files depend on, in the order of the words in `found`.
WORDS = (
    "psycopg2 psycopg2-binary psycopg psycopg-binary psycopg-c asyncpg pg8000 mysqlclient pymysql "
    "mysql-connector-python sqlalchemy gunicorn uwsgi pyuwsgi boto3 azure-storage-blob "
    "flask-socketio eventlet gevent celery flask-migrate python-magic weasyprint"
).split()
DRIVERS = {
    "postgres": {
        *"psycopg2 psycopg2-binary psycopg psycopg-binary psycopg-c asyncpg pg8000".split()
    },
    "mysql": {"mysqlclient", "pymysql", "mysql-connector-python"},
}
# Where nothing is locked, these bring SQLAlchemy along.
BRING_SQLALCHEMY = {
    "alembic", "dataset", "flask-alembic", "flask-appbuilder", "flask-migrate", "flask-sqlalchemy",
    "flask-sqlalchemy-lite", "sqlalchemy-utils", "sqlmodel",
}  # fmt: skip
BRING_FLASK = {"connexion", "dash", "eve", "quart"}
# The first version with wheels for 3.12, 3.13 and 3.14: those before are compiled.
PSYCOPG2_WHEELS = {"3.12": "2.9.9", "3.13": "2.9.10", "3.14": "2.9.11"}

# What the answer `found` can name, and a shell command of the Dockerfile have.
FILE = re.compile(r"(?!.*\.\.)[A-Za-z0-9_.][A-Za-z0-9_./-]*")
# Which of several files with requirements is for the server, the best first, and which never is.
FOR_SERVERS = "prod production heroku docker deploy base common main default requirements".split()
NOT_FOR_SERVERS = {
    *"build ci dev devel develop development doc docs documentation extra extras lint linting "
    "local mac macos mypy optional qa style test testing tests tools typing win windows".split()
}
INSTALLERS = {
    "uv.lock": "uv", "poetry.lock": "Poetry", "pylock": "uv", "Pipfile.lock": "pipenv",
    "pyproject.toml": "uv",
}  # fmt: skip

# What can be installed nowhere, or not on Linux, and what stands in its place.
NOT_INSTALLED = {
    "distribute": None, "mysql-python": "mysqlclient", "pkg-resources": None, "wsgiref": None,
}  # fmt: skip
WINDOWS_ONLY = {"pypiwin32", "pywin32", "pywinpty", "windows-curses", "wmi"}
# Versions that need another package, below a version, which they do not say themselves: those of
# setuptools have distutils or pkg_resources.
PARTNERS = [
    ("apscheduler", "3.10.4", "setuptools", "81"),
    ("flask", "2", "werkzeug", "2.1"),
    ("flask", "2", "jinja2", "3.1"),
    ("flask", "2", "itsdangerous", "2.1"),
    ("flask", "2", "markupsafe", "2.1"),
    ("flask", "2.0.3", "werkzeug", "2.1"),
    ("flask", "2.3", "werkzeug", "3"),
    ("flask-login", "0.6", "werkzeug", "2.1"),
    ("flask-login", "0.6.3", "werkzeug", "3"),
    ("flask-script", "3", "flask", "2"),
    ("flask-sqlalchemy", "3", "sqlalchemy", "2"),
    ("flask-wtf", "1.2", "flask", "3"),
    ("jinja2", "3", "markupsafe", "2.1"),
    ("marshmallow", "3.15", "setuptools", ""),
    ("redis", "4.1", "setuptools", ""),
]
# Debian packages that compiling needs, and those that the image needs at run time.
DEBIAN = {
    "cairosvg": ("", "libcairo2"),
    "graphviz": ("", "graphviz"),
    "pdf2image": ("", "poppler-utils"),
    "pycairo": ("libcairo2-dev", "libcairo2"),
    "pydub": ("", "ffmpeg"),
    "pytesseract": ("", "tesseract-ocr"),
    "python-ldap": ("libldap-dev libsasl2-dev", "libldap2"),
    "pyzbar": ("", "libzbar0"),
    "wand": ("", "libmagickwand-7.q16-10"),
}


@dataclass
class Dependencies:
    """What gets installed from which file.

    source: the file, and `says` with the tool that installs from it
    packages_on: for each Python, normalised names with the version that is locked, or None
    packages: those of the newest Python
    specifiers: which versions are asked for, by name; where: in which file and line
    words: of the answer `found`
    """

    source: str = ""
    says: str = ""
    packages_on: dict[str, dict[str, str | None]] = field(default_factory=dict)
    packages: dict[str, str | None] = field(default_factory=dict)
    specifiers: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def place(self, name: str) -> str:
        return self.where.get(name, self.source)


def look(folder: Path, answers: dict[str, str]) -> Dependencies:
    """Find what an application requires; the answer `auto FILE` for `found` names the file."""
    named = answers.get("found", "").split()[1:2]
    result = Dependencies()
    try:
        reader = choose(folder, named, result.problems)
        if reader:
            describe(reader, result)
            result.hints = [*reader.hints, *hints_about(reader, result, answers.get("database"))]
    except UnreadableError as error:
        result.problems = [str(error)]
    except RecursionError:
        result.problems = ["The files with requirements include each other too deeply."]
    except OSError as error:
        result.problems = [f"{error.filename} cannot be read: {error.strerror}."]
    return result


def choose(folder: Path, named: list[str], problems: list[str]) -> Reader | None:
    """Return the reader of the file to install from, or tell why there is none."""
    told = []
    readers, chosen = [], []
    for source in named or candidates(folder, told):
        if chosen and claim(source) != claim(chosen[0].source):
            break
        readers.append(read(folder, source))
        if brings_flask(readers[-1]):
            chosen.append(readers[-1])
    if not chosen and not told:
        with_any = [reader for reader in readers if reader.requirements or reader.is_open]
        chosen = [each for each in with_any if claim(each.source) == claim(with_any[0].source)]
    if not chosen:
        problems += told[:1] or [nothing_found(folder)]
        return None
    if len(chosen) > 1:
        names = [reader.source for reader in chosen]
        problems.append(
            f"Which file has the requirements of the server: {', '.join(names)}? Answer one of "
            f"them, such as found='auto {names[0]}'."
        )
        return None
    return chosen[0]


def read(folder: Path, source: str) -> Reader:
    reader = Reader(folder, source)
    reader.read()
    return reader


def brings_flask(reader: Reader) -> bool:
    names = {requirement.name for requirement in reader.requirements}
    return bool(names & BRING_FLASK) or any("flask" in name for name in names)


def candidates(folder: Path, told: list[str]) -> list[str]:
    """Return the files that may be installed from, the best first; tell what is not locked."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    pyproject = toml(folder / "pyproject.toml") if "pyproject.toml" in names else {}
    project, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    is_package = "build-system" in pyproject and poetry.get("package-mode") is not False

    sources = []
    if "uv.lock" in names and project:
        sources.append("uv.lock")
    if "poetry.lock" in names and (project or poetry):
        sources.append("poetry.lock")
    sources += sorted(
        (name for name in names if re.fullmatch(r"pylock(\.[A-Za-z0-9_-]+)?\.toml", name)),
        key=claim,
    )
    if "Pipfile.lock" in names:
        sources.append("Pipfile.lock")
    sources += requirements_files(folder)
    if project or (poetry and is_package):
        sources.append("pyproject.toml")
    sources += [name for name in ("setup.py", "setup.cfg") if name in names]

    if "Pipfile" in names and "Pipfile.lock" not in names:
        told.append(
            "Pipfile is not locked, and so what the image gets would change with each build: run "
            "`pipenv lock`, and commit Pipfile.lock."
        )
    elif table(poetry, "dependencies") and "poetry.lock" not in names:
        told.append(
            "pyproject.toml is one of Poetry, without a lock: run `poetry lock`, and commit "
            "poetry.lock."
        )
    elif "uv.lock" in names and not project:
        told.append(
            "uv.lock belongs to no project, because pyproject.toml has no [project]. If this is "
            "the root of a workspace, run `uv export --package NAME --no-dev --output-file "
            "requirements.txt` with the name of the application, and commit requirements.txt."
        )
    return sources


def requirements_files(folder: Path) -> list[str]:
    """Return the paths of files with requirements for the server, the best first."""
    paths = [*folder.glob("*.txt"), *folder.glob("requirements/*.txt")]
    paths = [path.relative_to(folder) for path in paths if path.is_file()]
    paths = [path for path in paths if path.name != "requirements-divio.txt"]  # the template's
    return sorted(
        (
            path.as_posix()
            for path in paths
            if claim(path) is not None and FILE.fullmatch(path.as_posix())
        ),
        key=lambda path: (claim(path), path),
    )


def claim(path: str | Path) -> int | str | None:
    """Return the place of a file among others of its kind; None if it has no requirements."""
    path = Path(path)
    if path.name.startswith("pylock."):
        return 0 if path.name == "pylock.toml" else 1
    if path.suffix != ".txt":
        return path.name
    words = re.split(r"[\W_]+", path.stem.lower())
    in_folder = path.parent.name == "requirements"
    if NOT_FOR_SERVERS & {*words} or not (in_folder or {"requirements", "requirement"} & {*words}):
        return None
    if words == ["requirements"] and not in_folder:
        return 10
    rest = " ".join(word for word in words if word != "requirements") or "requirements"
    return 11 + (FOR_SERVERS.index(rest) if rest in FOR_SERVERS else len(FOR_SERVERS))


def nothing_found(folder: Path) -> str:
    deeper = [
        path.as_posix()
        for pattern in ("[!.]*/*requirements*.txt", "[!.]*/*/*requirements*.txt")
        for path in sorted(each.relative_to(folder) for each in folder.glob(pattern))
        if claim(path) is not None and not {"node_modules", "site-packages"} & {*path.parts}
        if FILE.fullmatch(path.as_posix())
    ]
    if deeper:
        return (
            f"No requirements stand where they are looked for, but there is {', '.join(deeper)}. "
            f"If that is what the server needs, answer found='auto {deeper[0]}'."
        )
    return (
        f"{folder} has no requirements: no requirements.txt, pyproject.toml, setup.py or lock of "
        "uv, Poetry or pipenv that names any. Where the application runs, "
        "`pip freeze > requirements.txt` writes what it needs."
    )


def describe(reader: Reader, result: Dependencies) -> None:
    source = result.source = reader.source
    tool = next((tool for name, tool in INSTALLERS.items() if source.startswith(name)), "pip")
    result.says = f"{source}, installed with {tool}"
    result.packages_on = {python: reader.packages(python) for python in PYTHONS}
    result.packages = result.packages_on[PYTHONS[0]]
    for requirement in reader.requirements:
        asked = filter(None, [result.specifiers.get(requirement.name), requirement.specifiers])
        result.specifiers[requirement.name] = ",".join(asked)
        result.where.setdefault(requirement.name, requirement.where)
    result.words = words_of(result, PYTHONS[0])


def words_of(dependencies: Dependencies, python: str) -> list[str]:
    """Return those words of `found` that say what the application brings, on a Python."""
    packages = dict(dependencies.packages_on[python])
    if BRING_SQLALCHEMY & packages.keys():
        packages.setdefault("sqlalchemy", None)
    if {"psycopg-binary", "psycopg-c"} & packages.keys():
        packages.pop("psycopg", None)
    locked = packages.get("psycopg2-binary")
    if locked and compare(numbers(locked), numbers(PSYCOPG2_WHEELS[python])) < 0:
        packages["psycopg2"] = packages.pop("psycopg2-binary")
    words = [word for word in WORDS if word in packages]
    if "celery" in words and "redis" in packages:  # as its broker
        words.append("redis")
    return words


def hints_about(reader: Reader, dependencies: Dependencies, database: str | None) -> list[str]:
    """Return sentences about what keeps the build or the application from working."""
    source, packages = dependencies.source, dependencies.packages
    hints = []
    if not brings_flask(reader):
        hints.append(f"{source} does not name Flask: if no other package brings it, add it.")
    for requirement in reader.requirements:
        if requirement.name in packages and not requirement.constraint:
            hints += hints_about_requirement(requirement)
    hints += hints_about_partners(dependencies)
    for name, needed in DEBIAN.items():
        for stage, debian in zip(("first", "second"), needed, strict=True):
            if name in packages and debian:
                hints.append(
                    f"{dependencies.place(name)} installs {name}, which needs {debian} of Debian: "
                    f"put `RUN apt-get update && apt-get install --yes {debian}` below the {stage} "
                    "FROM of the Dockerfile."
                )
    unpinned = [
        each.name
        for each in reader.requirements
        if each.name in packages and not (packages[each.name] or each.specifiers or each.url)
    ]
    if unpinned and not source.endswith((".lock", ".toml")):
        some = ", ".join(unpinned[:5]) + (" ..." if len(unpinned) > 5 else "")
        hints.append(
            f"{dependencies.place(unpinned[0])} and the like name no versions ({some}), so what "
            "the image gets changes with each build: where the application runs, `pip freeze > "
            "requirements.txt` writes them down."
        )
    elif source == "pyproject.toml":
        hints.append(
            "pyproject.toml is not locked, so what the image gets changes with each build: run "
            "`uv lock` or `poetry lock`, and commit the lock."
        )
    ours = DRIVERS.get(database, set())
    others = set().union(*DRIVERS.values()) - ours
    if ours and packages.keys() & others and not packages.keys() & ours:
        driver = min(packages.keys() & others)
        other = next(name for name, drivers in DRIVERS.items() if driver in drivers)
        hints.append(
            f"{dependencies.place(driver)} brings {driver}, which is no driver for {database}: "
            f"bake again with database={other} if the application is made for that, or see that it "
            f"can do with {database}."
        )
    return hints


def hints_about_partners(dependencies: Dependencies) -> list[str]:
    packages, specifiers = dependencies.packages, dependencies.specifiers
    added: dict[str, list[str]] = {}
    told = set()
    for name, below, partner, limit in PARTNERS:
        version = packages.get(name)
        if not version or partner in told or not is_below(f"=={version}", below):
            continue
        if limit and not packages.get(partner) and not is_below(specifiers.get(partner, ""), limit):
            added.setdefault(name, []).append(f"`{partner}<{limit}`")
            told.add(partner)
        elif not limit and partner not in packages:
            added.setdefault(name, []).append(f"`{partner}`")
            told.add(partner)
    again = " and lock again" if "lock" in dependencies.source else ""
    return [
        f"{dependencies.place(name)} pins {name} {packages[name]}, which works only with these: "
        f"add {', '.join(lines)}{again}."
        for name, lines in added.items()
    ]


def hints_about_requirement(requirement: Requirement) -> list[str]:
    where, name, url = requirement.where, requirement.name, requirement.url
    if url.startswith(".."):
        return [
            f"{where} installs {name} from {url}, which is not in the folder of the application, "
            "and so not in the image: put it there, or name a repository."
        ]
    if url.startswith("file:"):
        return [
            f"{where} takes {name} from a folder of another machine ({url}): write `{name}`, with "
            "the version that `pip list --format=freeze` prints where the application runs."
        ]
    if re.match(r"(git\+)?ssh:|git\+git@|git@", url):
        return [
            f"{where} takes {name} from {url}, and Divio's build has no key for SSH: use "
            "`git+https://` if the repository is public, and put the package into the application "
            "if it is not."
        ]
    if name in NOT_INSTALLED:
        instead = NOT_INSTALLED[name]
        todo = f"write `{instead}`" if instead else "delete the line"
        return [f"{where} names {name}, which cannot be installed: {todo}."]
    if name in WINDOWS_ONLY and not requirement.marker and "lock" not in where:
        line = f'{name}{requirement.specifiers}; sys_platform == "win32"'
        return [f"{where} installs {name}, which is for Windows alone: write `{line}`."]
    return []
