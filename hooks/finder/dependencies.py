"""What an application requires, and from which of its files that is installed.

Everything is parsed, and nothing imported or run.
"""

import ast
import configparser
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from .versions import PYTHONS, exact, holds, is_below, satisfies

# What the baked files depend on, in the order of the words in `found`.
WORDS = (
    "psycopg2 psycopg2-binary psycopg psycopg-binary psycopg-c asyncpg pg8000 mysqlclient pymysql "
    "mysql-connector-python sqlalchemy gunicorn uwsgi pyuwsgi boto3 flask-socketio eventlet gevent "
    "celery flask-migrate python-magic weasyprint"
).split()
DRIVERS = {
    "postgres": ["psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "psycopg-c", "pg8000"],
    "mysql": ["mysqlclient", "pymysql", "mysql-connector-python"],
}
# Where nothing is locked, these bring SQLAlchemy along.
BRING_SQLALCHEMY = {
    "alembic", "dataset", "flask-alembic", "flask-appbuilder", "flask-migrate", "flask-sqlalchemy",
    "flask-sqlalchemy-lite", "sqlalchemy-utils", "sqlmodel",
}  # fmt: skip

# Which of several files with requirements is for the server, the best first, and which never is.
FOR_SERVERS = "prod production heroku docker deploy base common main default requirements".split()
NOT_FOR_SERVERS = set(
    "build ci dev devel develop development doc docs documentation extra extras lint linting local "
    "mac macos mypy optional qa style test testing tests tools typing win windows".split()
)
SKIPPED_FOLDERS = {"docs", "doc", "examples", "node_modules", "site-packages", "test", "tests"}
INSTALLERS = {"uv.lock": "uv", "poetry.lock": "Poetry", "pylock": "uv", "Pipfile.lock": "pipenv"}

REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?:@\s*(?P<url>\S+)|\(?(?P<specifiers>[^;@()]*)\)?)?\s*(?:;(?P<marker>.*))?"
)


class UnreadableError(Exception):
    """Says which file cannot be read, and why."""


@dataclass(frozen=True)
class Requirement:
    name: str
    specifiers: str = ""
    extras: frozenset[str] = frozenset()
    url: str = ""
    marker: str = ""
    where: str = ""
    constraint: bool = False


@dataclass
class Dependencies:
    source: str = ""
    says: str = ""
    # By normalised names: the one version that gets installed, or None where that is open; for the
    # newest Python, and for each.
    packages: dict[str, str | None] = field(default_factory=dict)
    packages_on: dict[str, dict[str, str | None]] = field(default_factory=dict)
    specifiers: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def look(folder, answers=None):
    """Find what an application requires; `auto FILE` as the answer `found` names the file."""
    answers = answers or {}
    named = answers.get("found", "auto").split()[1:2]
    result = Dependencies()
    readers = {}
    try:
        sources = named or candidates(folder, result)
        for source in sources:
            readers[source] = Reader(folder, source)
            readers[source].read()
            if readers[source].brings_flask():
                break
        else:
            source = next((name for name in sources if readers[name].requirements), "")
    except UnreadableError as error:
        result.problems.append(str(error))
        return result
    if not source:
        if not result.problems:
            result.problems.append(nothing_found(folder))
        return result

    equals = [] if named else equally_good(folder, source)
    if len(equals) > 1 and readers[source].brings_flask():
        equals = [name for name in equals if brings_flask(folder, name)]
    if len(equals) > 1:
        result.problems.append(
            f"Which file has the requirements of the server: {', '.join(equals)}? Answer one of "
            f"them, such as found='auto {equals[0]}'."
        )
        return result

    reader = readers[source]
    result.problems.clear()
    result.source = source
    tool = next((tool for name, tool in INSTALLERS.items() if source.startswith(name)), "pip")
    result.says = f"{source}, installed with {tool}"
    result.packages_on = {python: reader.packages(python) for python in PYTHONS}
    result.packages = result.packages_on[PYTHONS[0]]
    for requirement in reader.requirements:
        if requirement.specifiers:
            before = result.specifiers.get(requirement.name)
            result.specifiers[requirement.name] = ",".join(
                filter(None, [before, requirement.specifiers])
            )
        result.where.setdefault(requirement.name, requirement.where)
    result.words = words_of(result)
    result.hints = reader.hints
    result.hints += hints_about(reader, result, answers.get("database"))
    return result


def words_of(dependencies, python=PYTHONS[0]):
    """Return those words of `found` that say what the application brings, on a Python."""
    packages = dict(dependencies.packages_on[python])
    if BRING_SQLALCHEMY & packages.keys():
        packages.setdefault("sqlalchemy", None)
    if {"psycopg-binary", "psycopg-c"} & packages.keys():
        packages.pop("psycopg", None)
    words = [word for word in WORDS if word in packages]
    if "sqlalchemy" in words:
        asked = dependencies.specifiers.get("sqlalchemy", "")
        locked = packages["sqlalchemy"]
        if is_below(f"=={locked}" if locked else asked, "2"):
            words[words.index("sqlalchemy")] = "sqlalchemy1"
    return words


def candidates(folder, result):
    """Return the files that may be installed from, the best first."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    pyproject = toml(folder / "pyproject.toml") if "pyproject.toml" in names else {}
    poetry = table(pyproject, "tool", "poetry")
    project = table(pyproject, "project")

    sources = []
    if "uv.lock" in names and project:
        sources.append("uv.lock")
    if "poetry.lock" in names and (project or poetry):
        sources.append("poetry.lock")
    pylocks = [name for name in names if re.fullmatch(r"pylock(\.[^.]+)?\.toml", name)]
    sources += sorted(pylocks, key=len)
    if "Pipfile.lock" in names:
        sources.append("Pipfile.lock")
    sources += requirements_files(folder)
    if project or (poetry and "build-system" in pyproject and poetry.get("package-mode", True)):
        sources.append("pyproject.toml")
    sources += [name for name in ("setup.py", "setup.cfg") if name in names]

    # Only told where nothing else is installed from.
    if "Pipfile" in names and "Pipfile.lock" not in names:
        result.problems.append(
            "Pipfile is not locked, and so what the image gets would change with each build: run "
            "`pipenv lock`, and commit Pipfile.lock."
        )
    elif poetry.get("dependencies") and not {"poetry.lock", "pyproject.toml"} & {*sources}:
        result.problems.append(
            "pyproject.toml is one of Poetry, and not locked: run `poetry lock`, and commit "
            "poetry.lock."
        )
    elif "uv.lock" in names and not project:
        result.problems.append(
            "uv.lock belongs to no project, because pyproject.toml has no [project]. If this is "
            "the root of a workspace, export what the server needs: run `uv export --package NAME "
            "--no-dev --output-file requirements.txt`, and commit requirements.txt."
        )
    return sources


def requirements_files(folder):
    """Return the paths of files with requirements for the server, the best first."""
    paths = [*folder.glob("*.txt"), *folder.glob("requirements/*.txt")]
    paths = [path.relative_to(folder) for path in paths if path.is_file()]
    ranked = sorted((rank(path), path) for path in paths if rank(path) is not None)
    return [path.as_posix() for _, path in ranked]


def rank(path):
    """Return the place of a file with requirements among others; None if it is none."""
    words = re.split(r"[\W_]+", path.stem.lower())
    in_folder = path.parent.name == "requirements"
    if NOT_FOR_SERVERS & {*words} or not (
        in_folder or {"requirements", "requirement", "reqs"} & {*words}
    ):
        return None
    if words == ["requirements"] and not in_folder:
        return 0
    rest = " ".join(word for word in words if word != "requirements") or "requirements"
    return 1 + (FOR_SERVERS.index(rest) if rest in FOR_SERVERS else len(FOR_SERVERS))


def equally_good(folder, source):
    if source.startswith("pylock.") and source != "pylock.toml":
        return sorted(path.name for path in folder.glob("pylock.*.toml"))
    if source.endswith(".txt"):
        mine = rank(Path(source))
        return [path for path in requirements_files(folder) if rank(Path(path)) == mine]
    return [source]


def brings_flask(folder, source):
    reader = Reader(folder, source)
    reader.read()
    return reader.brings_flask()


def nothing_found(folder):
    deeper = [
        path.relative_to(folder).as_posix()
        for pattern in ("*/*.txt", "*/*/*.txt")
        for path in sorted(folder.glob(pattern))
        if "requirements" in path.stem.lower() and rank(path) is not None
        and not any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.parts)
    ]  # fmt: skip
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


class Reader:
    """Reads what one file requires, and what those require that it leads to."""

    def __init__(self, folder, source):
        self.folder = folder
        self.source = source
        self.requirements = []
        self.hints = []
        self.seen = set()
        self.locked = None  # of uv.lock and poetry.lock: what a Python gets

    def read(self):
        name = self.source
        if name == "uv.lock":
            self.locked = UvLock(self.folder)
        elif name == "poetry.lock":
            self.locked = PoetryLock(self.folder)
        elif name.startswith("pylock."):
            self.read_pylock()
        elif name == "Pipfile.lock":
            self.read_pipfile_lock()
        elif name.endswith(".txt"):
            self.read_requirements(self.folder / name)
        elif name == "pyproject.toml":
            self.read_pyproject()
        else:
            self.read_setup()
        if self.locked:
            self.requirements = [
                Requirement(name, f"=={version}" if version else "", where=self.source)
                for name, version in self.locked.packages(PYTHONS[0]).items()
            ]

    def brings_flask(self):
        names = {requirement.name for requirement in self.requirements}
        return any("flask" in name for name in names) or not names.isdisjoint(
            {"connexion", "dash", "quart", "eve"}
        )

    def packages(self, python):
        """Return what gets installed on a Python, with its version where that is locked."""
        if self.locked:
            return self.locked.packages(python)
        found, constraints = {}, {}
        for requirement in self.requirements:
            if not holds(requirement.marker, python):
                continue
            into = constraints if requirement.constraint else found
            version = exact(requirement.specifiers)
            into[requirement.name] = version or into.get(requirement.name)
            if requirement.name == "psycopg":
                for extra in requirement.extras & {"binary", "c"}:
                    found.setdefault(f"psycopg-{extra}", version)
        return {name: version or constraints.get(name) for name, version in found.items()}

    def add(self, text, where, constraint=False):
        match = REQUIREMENT.fullmatch(text.strip())
        if not match:
            return
        extras = frozenset(re.findall(r"[\w.-]+", (match["extras"] or "").lower()))
        self.requirements.append(
            Requirement(
                normalised(match["name"]),
                (match["specifiers"] or "").strip(),
                extras,
                match["url"] or "",
                (match["marker"] or "").strip(),
                where,
                constraint,
            )
        )

    def read_requirements(self, path, constraint=False):
        if path in self.seen:
            return
        self.seen.add(path)
        name = relative(path, self.folder)
        for number, line in logical_lines(text_of(path, self.folder)):
            where = f"{name}:{number}"
            option, _, value = (
                line.replace("=", " ", 1).partition(" ") if line.startswith("-") else ("", "", line)
            )
            value = value.strip().strip("\"'")
            if option in ("-r", "--requirement", "-c", "--constraint"):
                included = path.parent / value
                if not re.match(r"\w+://", value):
                    if not included.is_file():
                        raise UnreadableError(
                            f"{where} includes {value}, which is not there: add that file, or "
                            "delete the line."
                        )
                    self.read_requirements(included, constraint or option in ("-c", "--constraint"))
            elif option in ("", "-e", "--editable"):
                self.read_line(value, where, constraint)
            elif re.match(r"-[rce]\S", option):  # -rbase.txt
                raise UnreadableError(
                    f"{where}: write a space between {option[:2]} and {option[2:]}."
                )

    def read_line(self, line, where, constraint):
        line = re.split(r"\s--(?:hash|config-settings|global-option)\b", line)[0].strip()
        if "${" in line:
            self.hints.append(
                f"{where} takes part of its line from an environment variable, and Divio builds "
                "without any: write a line that needs none."
            )
        path = re.match(r"(\.{1,2}(?:/[^\[;]*)?|[^\s;@\[]+/[^\s;@\[]*)(?:\[.*\])?$", line)
        url = re.match(r"(?:(?:git|hg|svn|bzr)\+|https?:|file:)\S+", line)
        if url:
            egg = re.search(r"#(?:.*&)?egg=([\w.-]+)", line)
            wheel = re.search(r"/([A-Za-z0-9_.]+?)-\d[^/]*\.(?:whl|tar\.gz|zip)", line)
            name = (egg or wheel)[1] if egg or wheel else repository_name(line)
            self.requirements.append(Requirement(normalised(name), url=url[0], where=where))
        elif path:
            self.read_project(path[1], where)
        else:
            self.add(line, where, constraint)

    def read_project(self, path, where):
        """Read what a folder requires that is installed as a project."""
        folder = (self.folder / path).resolve()
        if not folder.is_relative_to(self.folder.resolve()) or not folder.exists():
            self.hints.append(
                f"{where} installs {path}, which is not in the folder of the application, and so "
                "not in the image: put it there, or name a repository."
            )
        elif folder == self.folder.resolve():
            if (folder / "pyproject.toml").is_file():
                self.read_pyproject()
            if (folder / "setup.py").is_file() or (folder / "setup.cfg").is_file():
                self.read_setup()

    def read_pyproject(self):
        name = "pyproject.toml"
        content = toml(self.folder / name)
        project = table(content, "project")
        for text in strings(project.get("dependencies")):
            self.add(text, line_of(self.folder / name, text))
        dynamic = table(content, "tool", "setuptools", "dynamic", "dependencies")
        files = dynamic.get("file", [])
        for file in [files] if isinstance(files, str) else strings(files):
            if (self.folder / file).is_file():
                self.read_requirements(self.folder / file)
        for package, wanted in table(content, "tool", "poetry", "dependencies").items():
            if normalised(package) == "python" or project.get("dependencies"):
                continue
            for each in wanted if isinstance(wanted, list) else [wanted]:
                each = {"version": each} if isinstance(each, str) else each
                if isinstance(each, dict) and not each.get("optional"):
                    self.requirements.append(
                        Requirement(
                            normalised(package),
                            pinned(str(each.get("version", ""))),
                            frozenset(strings(each.get("extras"))),
                            str(each.get("git") or each.get("url") or ""),
                            poetry_marker(each),
                            line_of(self.folder / name, package),
                        )
                    )

    def read_setup(self):
        cfg = ini(self.folder / "setup.cfg")
        text = cfg.get("options", {}).get("install_requires", "")
        if text.strip().startswith("file:"):
            for file in text.strip()[5:].split(","):
                if (self.folder / file.strip()).is_file():
                    self.read_requirements(self.folder / file.strip())
        else:
            for line in filter(None, map(str.strip, text.splitlines())):
                self.add(line.partition(" #")[0], line_of(self.folder / "setup.cfg", line))
        if (self.folder / "setup.py").is_file():
            given = setup_arguments(self.folder)
            wanted = given.get("install_requires")
            if isinstance(wanted, Path):
                self.read_requirements(wanted)
            for text in [wanted] if isinstance(wanted, str) else strings(wanted):
                self.add(text, line_of(self.folder / "setup.py", text))

    def read_pylock(self):
        content = toml(self.folder / self.source)
        groups = content.get("default-groups", [])
        for package in tables(content.get("packages")):
            marker = str(package.get("marker", ""))
            if package.get("name") and holds(
                marker, PYTHONS[0], dependency_groups=groups, extras=[]
            ):
                version = package.get("version")
                self.requirements.append(
                    Requirement(
                        normalised(package["name"]),
                        f"=={version}" if version else "",
                        url=url_of(package),
                        marker=marker,
                        where=self.source,
                    )
                )

    def read_pipfile_lock(self):
        content = read_json(self.folder / self.source)
        for name, package in table(content, "default").items():
            if isinstance(package, dict):
                self.requirements.append(
                    Requirement(
                        normalised(name),
                        str(package.get("version", "")),
                        frozenset(strings(package.get("extras"))),
                        str(package.get("git", "")),
                        str(package.get("markers", "")),
                        self.source,
                    )
                )


class UvLock:
    """What uv.lock gives the project at its root, without its groups for development."""

    def __init__(self, folder):
        content = toml(folder / "uv.lock")
        settings = table(toml(folder / "pyproject.toml"), "tool", "uv")
        self.by_name = {}
        for package in tables(content.get("package")):
            self.by_name.setdefault(normalised(str(package.get("name"))), []).append(package)
        self.start = []
        for package in tables(content.get("package")):
            source = table(package, "source")
            if "." in (source.get("editable"), source.get("virtual"), source.get("directory")):
                groups = strings(settings.get("default-groups"))
                self.start += tables(package.get("dependencies"))
                for group, wanted in table(package, "dev-dependencies").items():
                    if group in groups and group != "dev":
                        self.start += tables(wanted)

    def packages(self, python):
        found, done, waiting = {}, set(), list(self.start)
        while waiting:
            wanted = waiting.pop()
            if not holds(str(wanted.get("marker", "")), python):
                continue
            name = normalised(str(wanted.get("name")))
            for package in self.by_name.get(name, []):
                version = package.get("version")
                if version != wanted.get("version", version):
                    continue
                for extra in ["", *strings(wanted.get("extra"))]:
                    if (name, version, extra) in done:
                        continue
                    done.add((name, version, extra))
                    found[name] = version
                    waiting += tables(
                        table(package, "optional-dependencies").get(extra)
                        if extra
                        else package.get("dependencies")
                    )
        return found


class PoetryLock:
    """What poetry.lock has in its main group, without extras."""

    def __init__(self, folder):
        content = toml(folder / "poetry.lock")
        self.listed = tables(content.get("package"))
        self.marked = any("groups" in package or "category" in package for package in self.listed)
        self.start = []
        if not self.marked:  # Poetry 1.5 to 1.8 do not tell groups
            declared = Reader(folder, "pyproject.toml")
            declared.read()
            self.start = [(each.name, each.extras) for each in declared.requirements]

    def packages(self, python):
        names = None if self.marked else self.reached()
        return {
            normalised(str(package.get("name"))): package.get("version")
            for package in self.listed
            if self.is_main(package, python, names)
        }

    def is_main(self, package, python, names):
        if names is not None:
            return normalised(str(package.get("name"))) in names
        groups = package.get("groups") or [package.get("category")]
        marker = package.get("markers", "")
        if isinstance(marker, dict):
            marker = marker.get("main", "")
        optional = package.get("optional") and "category" in package
        return "main" in groups and not optional and holds(str(marker), python)

    def reached(self):
        """Return the names that the project leads to."""
        by_name = {normalised(str(package.get("name"))): package for package in self.listed}
        done, waiting = set(), list(self.start)
        while waiting:
            name, extras = waiting.pop()
            if (name, extras) in done or name not in by_name:
                continue
            done.add((name, extras))
            package = by_name[name]
            wanted = {
                normalised(text.split()[0].split("[")[0])
                for extra in extras
                for text in strings(table(package, "extras").get(extra))
            }
            for other, details in table(package, "dependencies").items():
                each = details if isinstance(details, dict) else {}
                if not each.get("optional") or normalised(other) in wanted:
                    waiting.append((normalised(other), frozenset(strings(each.get("extras")))))
        return {name for name, _ in done}


def hints_about(reader, dependencies, database):
    hints = []
    if not reader.brings_flask():
        hints.append(
            f"{dependencies.source} does not name Flask: if no other package brings it, add it."
        )
    for requirement in reader.requirements:
        hints += hints_about_requirement(requirement)
    open_ones = [name for name, version in dependencies.packages.items() if not version]
    if dependencies.source.endswith((".txt", ".py", ".cfg")) or "project" in dependencies.source:
        pinless = [name for name in open_ones if not dependencies.specifiers.get(name)]
        if pinless and not any(each.url for each in reader.requirements if each.name in pinless):
            hints.append(
                f"{dependencies.where[pinless[0]]} and others name no version"
                if len(pinless) > 1
                else f"{dependencies.where[pinless[0]]} names no version"
            )
            hints[-1] += (
                f" ({', '.join(pinless[:5])}{' ...' if len(pinless) > 5 else ''}), so what the "
                "image gets may change with each build: where the application runs, "
                "`pip freeze > requirements.txt` writes the versions down."
            )
    if database in DRIVERS:
        others = [name for kind in DRIVERS if kind != database for name in DRIVERS[kind]]
        brought = [name for name in others if name in dependencies.packages]
        if brought and not any(name in dependencies.packages for name in DRIVERS[database]):
            hints.append(
                f"{dependencies.where.get(brought[0], dependencies.source)} brings {brought[0]}, "
                f"a driver of another database than {database}: bake again with the database that "
                "the application is made for, or see that it can do with another."
            )
    return hints


def hints_about_requirement(requirement):
    where, name, url = requirement.where, requirement.name, requirement.url
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
    return []


def logical_lines(text):
    """Yield numbers and lines without comments, with those put together that end in `\\`."""
    joined, start = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        start = start if joined else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            joined += line[:-1] + " "
            continue
        line = re.sub(r"(^|\s)#.*", "", joined + line).strip()
        joined = ""
        if line:
            yield start, line


def repository_name(url):
    return re.split(r"[/:]", re.sub(r"(\.git)?(@[^/@]*)?([#;?].*)?$", "", url))[-1] or "unknown"


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(specifiers):
    """Write Poetry's plain version, which stands for itself alone, as pip does."""
    return f"=={specifiers}" if re.fullmatch(r"\d[\w.+!-]*", specifiers) else specifiers


def poetry_marker(wanted):
    marker = str(wanted.get("markers", ""))
    python = wanted.get("python")
    if isinstance(python, str) and not any(satisfies(f"{each}.99", python) for each in PYTHONS):
        return "python_version < '3'"
    if wanted.get("platform", "linux") != "linux":
        return "sys_platform == 'win32'"
    return marker


def url_of(package):
    vcs = table(package, "vcs")
    return str(vcs.get("url") or table(package, "archive").get("url") or "")


def setup_arguments(folder):
    """Return what setup() is given as literals; for `install_requires`, also a Path to read."""
    path = folder / "setup.py"
    try:
        module = ast.parse(text_of(path, folder))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    values = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "setup":
            given = {}
            for keyword in node.keywords:
                value = keyword.value
                if isinstance(value, ast.Name):
                    value = values.get(value.id, value)
                try:
                    given[keyword.arg] = ast.literal_eval(value)
                except (ValueError, TypeError, SyntaxError):
                    if keyword.arg == "install_requires":
                        given[keyword.arg] = file_read_in(value, folder)
            return given
    return {}


def file_read_in(node, folder):
    """Return the file with requirements that a setup.py reads, as far as its name tells."""
    names = [
        child.value
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and str(child.value).endswith(".txt")
    ]
    paths = [folder / prefix / name for name in names for prefix in ("", "requirements")]
    return next((path for path in paths if path.is_file()), None)


def relative(path, folder):
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def line_of(path, text):
    """Return `FILE:LINE` of where a text stands first, or the name of the file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return next(
        (f"{path.name}:{number}" for number, line in enumerate(lines, 1) if text in line), path.name
    )


def text_of(path, folder=None):
    """Read a text as pip does: in UTF-8, or what a mark at its beginning names."""
    name = relative(path, folder) if folder else path.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{name} cannot be read: {error.strerror}.") from None
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("latin-1")


def toml(path):
    try:
        return tomllib.loads(text_of(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise UnreadableError(
            f"{path.name}{f':{line[1]}' if line else ''} is not valid TOML ({error}): mend it"
            f"{', or lock again' if 'lock' in path.name else ''}."
        ) from None


def read_json(path):
    try:
        content = json.loads(text_of(path))
    except json.JSONDecodeError as error:
        raise UnreadableError(
            f"{path.name}:{error.lineno} is not valid JSON ({error.msg}): lock again."
        ) from None
    return content if isinstance(content, dict) else {}


def ini(path):
    if not path.is_file():
        return {}
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text_of(path))
    except configparser.Error as error:
        raise UnreadableError(
            f"{path.name} cannot be read: {' '.join(str(error).split())}"
        ) from None
    return {section: dict(parser[section]) for section in parser.sections()}


def table(content, *keys):
    """Return a table within others, or an empty one."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def tables(content):
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def strings(content):
    if isinstance(content, list | tuple):
        return [each for each in content if isinstance(each, str)]
    return []
