"""What stands in the files and locks of pip, uv, Poetry, pipenv and setuptools."""

import ast
import configparser
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .source import code_of
from .versions import PYTHONS, exact, holds, satisfies

Packages = dict[str, str | None]

LARGEST = 10_000_000  # bytes of a file

REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?:@\s*(?P<url>\S+)|\(?(?P<specifiers>[^;@()]*)\)?)?\s*(?:;(?P<marker>.*))?"
)
# `-r base.txt`, `-rbase.txt`, `--requirement=base.txt`
OPTION = re.compile(r"(-[rce]|--(?:requirement|constraint|editable))(?:\s*=\s*|\s*)(.+)")


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


class Reader:
    """Reads what one file requires, and what those require that it leads to."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self.source = source
        self.requirements: list[Requirement] = []
        self.hints: list[str] = []
        self.is_open = False  # code says what it requires
        self.variables = {}  # of markers
        self.seen: set[Path] = set()
        self.locked = None  # of uv.lock and poetry.lock: what a Python gets

    def read(self) -> None:
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
                Requirement(
                    name,
                    f"=={version}" if version else "",
                    url=self.locked.urls.get(name, ""),
                    where=self.source,
                )
                for name, version in self.locked.packages(PYTHONS[0]).items()
            ]

    def packages(self, python: str) -> Packages:
        """Return what gets installed on a Python, with its version where that is locked."""
        if self.locked:
            return self.locked.packages(python)
        found, constraints = {}, {}
        for requirement in self.requirements:
            if not holds(requirement.marker, python, **self.variables):
                continue
            into = constraints if requirement.constraint else found
            version = exact(requirement.specifiers)
            into[requirement.name] = version or into.get(requirement.name)
            if requirement.name == "psycopg":
                for extra in requirement.extras & {"binary", "c"}:
                    found.setdefault(f"psycopg-{extra}", version)
            if requirement.name == "celery" and "redis" in requirement.extras:
                found.setdefault("redis", None)
        return {name: version or constraints.get(name) for name, version in found.items()}

    def add(self, text: str, where: str, constraint: bool = False) -> None:
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

    def read_requirements(self, path: Path, constraint: bool = False) -> None:
        if path in self.seen:
            return
        self.seen.add(path)
        name = relative(path, self.folder)
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise UnreadableError(
                f"{name} is not in the folder of the application, and so not in the image: put it "
                "there."
            )
        text, encoding = decoded(path, self.folder)
        if encoding == "latin-1" and "coding" not in text[:80]:
            self.hints.append(
                f"{name} is not in UTF-8, and pip in the image cannot read it: save it in UTF-8."
            )
        for number, line in logical_lines(text):
            where = f"{name}:{number}"
            if "${" in line:
                self.hints.append(
                    f"{where} takes something from an environment variable, and Divio builds "
                    "without any: write a line that needs none."
                )
            option = OPTION.match(line)
            if not option:
                if not line.startswith("-"):
                    self.read_line(line, where, constraint)
                continue
            kind, value = option[1].strip("-")[0], option[2].strip("\"' ")
            if kind == "e":
                self.read_line(value, where, constraint)
            elif not re.match(r"\w+://", value):
                included = Path(os.path.normpath(path.parent / value))
                if not included.is_file():
                    raise UnreadableError(
                        f"{where} includes {value}, which is not there: add that file, or delete "
                        "the line."
                    )
                self.read_requirements(included, constraint or kind == "c")

    def read_line(self, line: str, where: str, constraint: bool) -> None:
        line = re.split(r"\s--(?:hash|config-settings|global-option)\b", line)[0].strip()
        path = re.match(r"(\.{1,2}(?:/[^\[;]*)?|[^\s;@\[]+/[^\s;@\[]*)(?:\[(.*)\])?$", line)
        url = re.match(r"(?:(?:git|hg|svn|bzr)\+|https?:|file:)\S+", line)
        if url:
            egg = re.search(r"#(?:.*&)?egg=([\w.-]+)", line)
            wheel = re.search(r"/([A-Za-z0-9_.]+?)-\d[^/]*\.(?:whl|tar\.gz|zip)", line)
            name = (egg or wheel)[1] if egg or wheel else repository_name(line)
            self.requirements.append(Requirement(normalised(name), url=url[0], where=where))
        elif path:
            self.read_project(path[1], re.findall(r"[\w.-]+", path[2] or ""), where)
        else:
            self.add(line, where, constraint)

    def read_project(self, path: str, extras: list[str], where: str) -> None:
        """Read what the application requires, where it is installed as a project."""
        folder = (self.folder / path).resolve()
        if not folder.is_relative_to(self.folder.resolve()) or not folder.exists():
            self.hints.append(
                f"{where} installs {path}, which is not in the folder of the application, and so "
                "not in the image: put it there, or name a repository."
            )
        elif folder == self.folder.resolve():
            if (folder / "pyproject.toml").is_file():
                self.read_pyproject(extras)
            self.read_setup(extras)

    def read_pyproject(self, extras: Iterable[str] = ()) -> None:
        name = "pyproject.toml"
        content = toml(self.folder / name)
        project = table(content, "project")
        wanted = strings(project.get("dependencies"))
        for extra in extras:
            wanted += strings(table(project, "optional-dependencies").get(extra))
        for text in wanted:
            self.add(text, line_of(self.folder / name, text))
        self.is_open |= "dependencies" in strings(project.get("dynamic"))
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

    def read_setup(self, extras: Iterable[str] = ()) -> None:
        cfg = ini(self.folder / "setup.cfg")
        text = cfg.get("options", {}).get("install_requires", "")
        if text.strip().startswith("file:"):
            for file in text.strip()[5:].split(","):
                if (self.folder / file.strip()).is_file():
                    self.read_requirements(self.folder / file.strip())
        else:
            for line in filter(None, map(str.strip, text.splitlines())):
                self.add(line.partition(" #")[0], line_of(self.folder / "setup.cfg", line))
        given = setup_arguments(self.folder)
        if given:
            wanted = given.get("install_requires")
            self.is_open |= "install_requires" in given and not wanted
            if isinstance(wanted, Path):
                self.read_requirements(wanted)
            optional = given.get("extras_require")
            wanted = [wanted] if isinstance(wanted, str) else strings(wanted)
            for extra in extras:
                wanted += strings(table(optional).get(extra))
            for text in wanted:
                self.add(text, line_of(self.folder / "setup.py", text))

    def read_pylock(self) -> None:
        content = toml(self.folder / self.source)
        self.variables = {"dependency_groups": strings(content.get("default-groups")), "extras": []}
        for package in tables(content.get("packages")):
            version = string(package.get("version"))
            urls = (string(table(package, key).get("url")) for key in ("vcs", "archive"))
            self.requirements.append(
                Requirement(
                    name_of(package),
                    f"=={version}" if version else "",
                    url=next(filter(None, urls), ""),
                    marker=string(package.get("marker")),
                    where=self.source,
                )
            )

    def read_pipfile_lock(self) -> None:
        content = read_json(self.folder / self.source)
        for name, package in table(content, "default").items():
            if isinstance(package, dict):
                self.requirements.append(
                    Requirement(
                        normalised(name),
                        string(package.get("version")),
                        frozenset(strings(package.get("extras"))),
                        string(package.get("git")),
                        string(package.get("markers")),
                        self.source,
                    )
                )


class UvLock:
    """What uv.lock gives the project at its root, without its groups for development."""

    def __init__(self, folder: Path) -> None:
        content = toml(folder / "uv.lock")
        settings = table(toml(folder / "pyproject.toml"), "tool", "uv")
        self.by_name = {}
        for package in tables(content.get("package")):
            self.by_name.setdefault(name_of(package), []).append(package)
        self.urls = urls_in(content)
        self.start = []
        for package in tables(content.get("package")):
            source = table(package, "source")
            if "." in (source.get("editable"), source.get("virtual"), source.get("directory")):
                groups = strings(settings.get("default-groups"))
                self.start += tables(package.get("dependencies"))
                for group, wanted in table(package, "dev-dependencies").items():
                    if group in groups and group != "dev":
                        self.start += tables(wanted)

    def packages(self, python: str) -> Packages:
        found, done, waiting = {}, set(), list(self.start)
        while waiting:
            wanted = waiting.pop()
            if not holds(string(wanted.get("marker")), python):
                continue
            name = name_of(wanted)
            for package in self.by_name.get(name, []):
                version = string(package.get("version"))
                if version != wanted.get("version", version):
                    continue
                for extra in ["", *strings(wanted.get("extra"))]:
                    if (name, version, extra) in done:
                        continue
                    done.add((name, version, extra))
                    found[name] = version or None
                    waiting += tables(
                        table(package, "optional-dependencies").get(extra)
                        if extra
                        else package.get("dependencies")
                    )
        return found


class PoetryLock:
    """What poetry.lock has in its main group, without extras."""

    def __init__(self, folder: Path) -> None:
        content = toml(folder / "poetry.lock")
        self.listed = tables(content.get("package"))
        self.urls = urls_in(content)
        self.marked = any("groups" in package or "category" in package for package in self.listed)
        self.start = []
        if not self.marked:  # Poetry 1.5 to 1.8 do not tell groups
            declared = Reader(folder, "pyproject.toml")
            declared.read()
            self.start = [(each.name, each.extras) for each in declared.requirements]

    def packages(self, python: str) -> Packages:
        names = None if self.marked else self.reached()
        return {
            name_of(package): string(package.get("version")) or None
            for package in self.listed
            if self.is_main(package, python, names)
        }

    def is_main(self, package: dict[str, Any], python: str, names: set[str] | None) -> bool:
        if names is not None:
            return name_of(package) in names
        groups = strings(package.get("groups")) or [package.get("category")]
        marker = package.get("markers", "")
        if isinstance(marker, dict):
            marker = marker.get("main", "")
        optional = package.get("optional") and "category" in package
        return "main" in groups and not optional and holds(str(marker), python)

    def reached(self) -> set[str]:
        """Return the names that the project leads to."""
        by_name = {name_of(package): package for package in self.listed}
        done, waiting = set(), list(self.start)
        while waiting:
            name, extras = waiting.pop()
            if (name, extras) in done or name not in by_name:
                continue
            done.add((name, extras))
            package = by_name[name]
            wanted = {
                normalised(re.split(r"[\s\[]", text)[0])
                for extra in extras
                for text in strings(table(package, "extras").get(extra))
            }
            for other, details in table(package, "dependencies").items():
                each = details if isinstance(details, dict) else {}
                if not each.get("optional") or normalised(other) in wanted:
                    waiting.append((normalised(other), frozenset(strings(each.get("extras")))))
        return {name for name, _ in done}


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
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


def repository_name(url: str) -> str:
    return re.split(r"[/:]", re.sub(r"(\.git)?(@[^/@]*)?([#;?].*)?$", "", url))[-1] or "unknown"


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(package: dict[str, Any]) -> str:
    return normalised(string(package.get("name")))


def pinned(specifiers: str) -> str:
    """Write Poetry's plain version, which stands for itself alone, as pip does."""
    return f"=={specifiers}" if re.fullmatch(r"\d[\w.+!-]*", specifiers) else specifiers


def poetry_marker(wanted: dict[str, Any]) -> str:
    marker = str(wanted.get("markers", ""))
    python = wanted.get("python")
    if isinstance(python, str) and not any(satisfies(f"{each}.99", python) for each in PYTHONS):
        return "python_version < '3'"
    if wanted.get("platform", "linux") != "linux":
        return "sys_platform == 'win32'"
    return marker


def urls_in(lock: dict[str, Any]) -> dict[str, str]:
    """Return where packages come from that no index has, in uv.lock or poetry.lock."""
    urls = {}
    for package in tables(lock.get("package")):
        source = table(package, "source")
        keys = ["git", "directory", "editable", "virtual"]
        if source.get("type") in ("git", "directory"):
            keys.append("url")
        urls[name_of(package)] = next((string(source[key]) for key in keys if key in source), "")
    return urls


def setup_arguments(folder: Path) -> dict[str, Any]:
    """Return what setup() is given as literals; for `install_requires`, also a Path to read."""
    path = folder / "setup.py"
    if not path.is_file():
        return {}
    try:
        module = ast.parse(text_of(path, folder))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    values = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and code_of(node.func).rpartition(".")[2] == "setup":
            given = {}
            for name, value in arguments_of(node, values):
                try:
                    given[name] = ast.literal_eval(value)
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    if name == "install_requires":
                        given[name] = file_read_in(value, folder)
            return given
    return {}


def arguments_of(call: ast.Call, values: dict[str, ast.expr]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the keywords of a call, those of `**NAME` too, and what they are given."""
    for keyword in call.keywords:
        value = value_of(keyword.value, values)
        if keyword.arg:
            yield keyword.arg, value
        elif isinstance(value, ast.Dict):
            for key, each in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield key.value, value_of(each, values)
        else:
            yield "install_requires", value  # as far as anybody knows


def value_of(node: ast.expr, values: dict[str, ast.expr]) -> ast.expr:
    return values.get(node.id, node) if isinstance(node, ast.Name) else node


def file_read_in(node: ast.AST, folder: Path) -> Path | None:
    """Return the file with requirements that a setup.py reads, as far as its name tells."""
    names = [
        child.value
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and str(child.value).endswith(".txt")
    ]
    paths = [folder / prefix / name for name in names for prefix in ("", "requirements")]
    return next((path for path in paths if path.is_file()), None)


def relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def line_of(path: Path, text: str) -> str:
    """Return `FILE:LINE` of where a text stands first, or the name of the file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    begins = [
        number for number, line in enumerate(lines, 1) if line.strip(" \t\"'").startswith(text)
    ]
    holds_it = [number for number, line in enumerate(lines, 1) if text in line]
    numbers = begins or holds_it
    return f"{path.name}:{numbers[0]}" if numbers else path.name


def text_of(path: Path, folder: Path | None = None) -> str:
    return decoded(path, folder)[0]


def decoded(path: Path, folder: Path | None = None) -> tuple[str, str]:
    """Return a text and its encoding: UTF-8, or what a mark at its beginning names, as for pip."""
    name = relative(path, folder) if folder else path.name
    try:
        if path.stat().st_size > LARGEST:
            raise UnreadableError(f"{name} is larger than {LARGEST // 1_000_000} MB: shorten it.")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{name} cannot be read: {error.strerror}.") from None
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"
    if "\0" in text:
        raise UnreadableError(f"{name} has NUL characters, and so is no text in UTF-8: save it so.")
    return text, encoding


@cache
def toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text_of(path))
    except (ValueError, RecursionError) as error:  # also a number with too many digits
        line = re.search(r"line (\d+)", str(error))
        raise UnreadableError(
            f"{path.name}{f':{line[1]}' if line else ''} is not valid TOML ({error}): mend it"
            f"{', or lock again' if 'lock' in path.name else ''}."
        ) from None


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise UnreadableError(
            f"{path.name}{f':{line[1]}' if line else ''} is not valid JSON ({error}): lock again."
        ) from None
    return content if isinstance(content, dict) else {}


def ini(path: Path) -> dict[str, dict[str, str]]:
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


def table(content: Any, *keys: str) -> dict[str, Any]:
    """Return a table within others, or an empty one."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def tables(content: Any) -> list[dict[str, Any]]:
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def string(content: Any) -> str:
    return content if isinstance(content, str) else ""


def strings(content: Any) -> list[str]:
    if isinstance(content, list | tuple):
        return [each for each in content if isinstance(each, str)]
    return []
