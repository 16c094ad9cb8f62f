"""The application in a folder, and how a gateway server is told it."""

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from json import dumps
from pathlib import Path
from shlex import quote

from .kinds import (
    FACTORY,
    NO_APPLICATION,
    is_app,
    is_call,
    is_factory,
    maker_of,
    makes_app,
    required_arguments,
    returns_global,
    starts_server,
)
from .source import BESIDE, Definition, Module, Source, code_of, read, source_of

WSGI_APP = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):([A-Za-z_]\w*)(\(\))?", re.ASCII)
WITH_ARGUMENTS = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):([A-Za-z_]\w*)(\(.+\))", re.ASCII)

# Modules that make an application for something else than to serve it.
OTHER_USE = re.compile(r".*(celery|worker|task|seed|populate|cron|script|shell|init_?db|_db|db_).*")
# What an earlier bake has left.
OURS = {"gunicorn_worker", "on_divio", "request_limits", "sitecustomize", "uwsgi_app"}

# The best first.
COMMAND_FILES = [
    ("Dockerfile",),
    ("Dockerfile*", "*compose*.y*ml"),
    ("*.sh", "docker/*.sh"),
    ("app.yaml", "render.yaml", "fly.toml", "heroku.yml", "railway.*", "supervisord.conf"),
]
FLASK_APP_FILES = [
    (".flaskenv", ".env"),
    ("Dockerfile*", "*compose*.y*ml", "*.sh", "app.json", ".env*", "Makefile"),
]
# In commands.
SERVER = re.compile(r"(?<![\w.-])(gunicorn|uwsgi|waitress-serve)(?=[\s\"',])")
SCRIPT = re.compile(r"\bpython[\d.]*[\s\"',]+(?:-u[\s\"',]+)?([\w./-]+\.py)\b")
CHDIR = re.compile(r"--(?:chdir|pythonpath)[\s\"',=]+([\w./-]+)|\bcd\s+([\w./-]+)\s*(?:&&|;)")
TARGET = re.compile(
    r"(?<![\w./:=@$-])([A-Za-z_][\w.]*)(?::([A-Za-z_]\w*)(\([^)\n]*\))?)?(?=[\s\"',\]]|$)"
)
WSGI_FILE = re.compile(r"--(?:wsgi-file|file)[\s\"',=]+([\w./-]+\.py)")
CALLABLE = re.compile(r"--callable[\s\"',=]+(\w+)")
FLASK_APP = re.compile(
    r"""(?:\bFLASK_APP["']?\s*[:=\s]|\bflask["',\s]+(?:--app|-A)[\s"',=])\s*"""
    r"""(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,"'(]+(?:\([^)\n]*\))?))"""
)

# Ranks: what is declared, then modules that exist to be served, applications, factories.
PROCFILE, SETTINGS, COMMANDS, FLASK_APPS, SCRIPTS = range(0, 50, 10)
WSGI_MODULE, WSGI_IN_PACKAGE, APP_MODULE, ENTRY_MODULE, MANAGE, ROOT_MODULE = range(100, 220, 20)
IN_PACKAGE, INNER_MODULE, FACTORY_IN_ENTRY, FACTORY_IN_PACKAGE, FACTORY_INNER = range(220, 320, 20)
MADE_ELSEWHERE, NEEDS_ARGUMENTS = 400, 500
WSGI_NAMES = "wsgi", "divio_wsgi", "divio_application", "autoapp"
ENTRIES = {"main", "run", "application", "server", "index", "web", "webapp", "site", "serve"}


@dataclass(frozen=True)
class Candidate:
    """An application, or with parentheses a factory of one.

    where: what names it, or where it is made, such as "Procfile:1"
    rank: smaller is better; equal ones of different objects are ambiguous
    """

    wsgi_app: str
    where: str
    rank: int


@dataclass(frozen=True)
class Obstacle:
    """What is declared or made here, and cannot be served as it is."""

    says: str
    rank: int
    factory: ast.AST | None = None


def applications(folder: Path) -> list[Candidate]:
    """Return what can be served, best first."""
    return search(folder)[0]


def problem_of(folder: Path, wsgi_app: str) -> str | None:
    """Return why an answer cannot be served, as far as parsing tells.

    Of "auto": why there is no best application.
    """
    source = source_of(folder)
    if wsgi_app == "auto":
        return problem_of_search(folder)
    match = WSGI_APP.fullmatch(wsgi_app)
    if not match:
        if called := WITH_ARGUMENTS.fullmatch(wsgi_app):
            return f"wsgi_app {wsgi_app!a} has arguments. {two_lines(source, *called.groups())}"
        return (
            f"wsgi_app {wsgi_app!a} must be a module and the application in it, such as 'app:app', "
            f"or a factory without arguments, such as 'flaskr:create_app()'.{found(folder)}"
        )
    name, attribute, called = match.groups()
    problem = problem_of_target(source, name, attribute, bool(called))
    return f"wsgi_app {wsgi_app!a}: {problem}{found(folder)}" if problem else None


def problem_of_search(folder: Path) -> str | None:
    candidates, obstacles = search(folder)
    if obstacles and (not candidates or obstacles[0].rank < candidates[0].rank):
        return obstacles[0].says
    if not candidates:
        return none_found(folder)
    best = [each for each in candidates if each.rank == candidates[0].rank]
    if len(best) > 1:
        return (
            f"wsgi_app 'auto' finds several applications:{listed(best)}. Answer which one is "
            f"served, such as wsgi_app={best[0].wsgi_app}"
        )
    return None


def none_found(folder: Path) -> str:
    source = source_of(folder)
    for inner in folders_within(folder):
        if applications(inner) or search(inner)[1]:
            return advice_of_folder(source, inner.relative_to(folder).as_posix())
    return (
        "No Flask application was found in this folder or its src: no module has one in a variable "
        "or a function create_app() that returns one. Run cookiecutter in the folder of the "
        "application, or write a module wsgi.py that has it in the variable 'app'."
    )


def found(folder: Path) -> str:
    candidates = applications(folder)
    return f" Found were:{listed(candidates[:5])}." if candidates else ""


def listed(candidates: list[Candidate]) -> str:
    return ",".join(f" {each.wsgi_app} ({each.where})" for each in candidates)


@cache
def search(folder: Path) -> tuple[list[Candidate], list[Obstacle]]:
    """Return what can be served and what stands against it, each best first."""
    source = source_of(folder)
    candidates: dict[str, Candidate] = {}
    obstacles = []
    for each in [*declared(source), *guesses(source)]:
        if isinstance(each, Obstacle):
            obstacles.append(each)
        elif not WSGI_APP.fullmatch(each.wsgi_app):  # A name outside ASCII is no answer.
            continue
        elif each.wsgi_app not in candidates or each.rank < candidates[each.wsgi_app].rank:
            candidates[each.wsgi_app] = each
    ordered = sorted(candidates.values(), key=lambda each: each.rank)
    for one in [each for each in ordered if each.rank == ordered[0].rank]:
        ordered = [
            each for each in ordered if each.rank != one.rank or not shows(source, one, each)
        ]
    # Somebody has written the module that an obstacle asks for.
    made = {id(factory_of(source, each)) for each in ordered}
    obstacles = [each for each in obstacles if not each.factory or id(each.factory) not in made]
    return ordered, sorted(obstacles, key=lambda each: each.rank)


def definition_of(source: Source, candidate: Candidate) -> Definition:
    name, attribute, _ = WSGI_APP.fullmatch(candidate.wsgi_app).groups()
    return source.find(source.module(name), attribute)


def shows(source: Source, one: Candidate, other: Candidate) -> bool:
    """Whether one of two is the other, imported or wrapped, and so stands for both."""
    if one.wsgi_app == other.wsgi_app:
        return False
    first, second = definition_of(source, one), definition_of(source, other)
    if first.node and first.node is second.node:
        return one.where < other.where
    parts = ast.walk(first.node) if is_call(first.node) and second.node else ()
    return any(
        source.resolve(first.scope, part).node is second.node
        for part in parts
        if isinstance(part, ast.Name)
    )


def factory_of(source: Source, candidate: Candidate) -> ast.AST | None:
    """Return the function that a candidate's module calls to make it."""
    return maker_of(source, definition_of(source, candidate)).node


def declared(source: Source) -> Iterator[Candidate | Obstacle]:
    for where, rank, text in commands(source.folder):
        for server in SERVER.finditer(text):
            yield from of_command(source, server[1], text, server.end(), where, rank)
        for script in SCRIPT.finditer(text):
            at = f"{where}:{line_number(text, script.start())}"
            rank_of_script = rank if rank == PROCFILE else SCRIPTS
            yield from of_flask_app(source, script[1], at, rank_of_script)
    for path in files(source.folder, "gunicorn*.py", "config/gunicorn*.py"):
        text = read(path)
        if named := re.search(r"^wsgi_app\s*=\s*[\"'](.+)[\"']\s*$", text, re.MULTILINE):
            at = f"{path.name}:{line_number(text, named.start())}"
            yield from of_target(source, TARGET.match(named[1]), at, SETTINGS)
    for path in files(source.folder, "*.ini"):
        yield from of_uwsgi(source, path, SETTINGS)
    for number, patterns in enumerate(FLASK_APP_FILES):
        for path in files(source.folder, *patterns):
            text = read(path)
            for match in FLASK_APP.finditer(text):
                at = f"{path.name}:{line_number(text, match.start())}"
                value = next(filter(None, match.groups()), "")
                yield from of_flask_app(source, value, at, FLASK_APPS + number)


def files(folder: Path, *patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if os.path.isfile(path))


def line_number(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def commands(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Yield texts with commands that start servers: where, their rank, the text."""
    text = read(folder / "Procfile")
    lines = text.splitlines()
    if any(line.startswith("web:") for line in lines):
        lines = [line if line.startswith("web:") else "" for line in lines]
    yield "Procfile", PROCFILE, "\n".join(lines)
    for number, patterns in enumerate(COMMAND_FILES):
        for path in files(folder, *patterns):
            lines = (re.sub(r"(^|\s)#.*", "", line) for line in read(path).splitlines())
            yield path.relative_to(folder).as_posix(), COMMANDS + number, "\n".join(lines)


def of_command(
    source: Source, server: str, text: str, start: int, where: str, rank: int
) -> Iterator[Candidate | Obstacle]:
    """Yield what the server in a command serves."""
    where = f"{where}:{line_number(text, start)}"
    # YAML lists have each argument in a line of its own.
    joined = text.replace("\\\n", "  ")
    rest = re.split(r"\n\S|\n\s*\n|&&", joined[start:], maxsplit=1)[0]
    before = text[text.rfind("\n", 0, start) + 1 : start]
    inner = source
    for match in CHDIR.finditer(before + rest):
        folder = (match[1] or match[2]).strip("/").removeprefix("./")
        if folder not in ("", ".", "src") and os.path.isdir(source.folder / folder):
            inner = source_of(source.folder / folder)
    if server == "uwsgi":
        for name in re.findall(r"[\w./-]+\.ini\b", rest):
            if os.path.isfile(path := source.folder / name.removeprefix("/")):
                yield from of_uwsgi(source, path, rank)
        if file := WSGI_FILE.search(rest):
            named = CALLABLE.search(rest)
            value = f"{file[1]}:{named[1] if named else 'application'}"
            yield from of_flask_app(source, value, where, rank)
    for match in sorted(TARGET.finditer(rest), key=lambda match: not match[2]):
        served = list(of_target(inner, match, where, rank))
        if served and inner is not source:
            folder = inner.folder.relative_to(source.folder).as_posix()
            modules = filter(None, map(source.module, WSGI_NAMES))
            if not any(f"{dumps(folder)})" in module.text for module in modules):
                yield Obstacle(f"{where}: {advice_of_folder(source, folder)}", rank)
        elif served:
            yield from served
        if served:
            return


def of_uwsgi(source: Source, path: Path, rank: int) -> Iterator[Candidate | Obstacle]:
    text = read(path)
    settings = {}
    for match in re.finditer(r"^\s*([\w-]+)\s*=\s*(.+?)\s*$", text, re.MULTILINE):
        settings[match[1]] = (match[2], f"{path.name}:{line_number(text, match.start(1))}")
    for name in "module", "wsgi", "mount", "wsgi-file", "file":
        if name not in settings:
            continue
        value, where = settings[name]
        value = value.rpartition("=")[2]
        if "callable" in settings and ":" not in value:
            value += f":{settings['callable'][0]}"
        elif ":" not in value:
            value += ":application"
        yield from of_flask_app(source, value, where, rank)


def of_flask_app(
    source: Source, value: str, where: str, rank: int
) -> Iterator[Candidate | Obstacle]:
    """Yield what a value of FLASK_APP means: a module or file, a name in it, arguments."""
    place, _, rest = value.strip().partition(":")
    if place.endswith(".py") or "/" in place:
        parts = place.removesuffix(".py").strip("/").removeprefix("./").split("/")
        # From the root of an image, "/app/hello.py" is "hello.py".
        starts = [parts[index:] for index in range(len(parts))] if place[0] in "/$" else [parts]
        names = [source.name_of("/".join(start)) for start in starts]
    else:
        names = [place]
    for name in names:
        module = name and source.module(name)
        if not module or name in OURS:
            continue
        if rest:
            yield from of_target(source, TARGET.match(f"{name}:{rest}"), where, rank)
        else:
            yield from of_module(source, module, where, rank)
        return


def of_target(
    source: Source, match: re.Match | None, where: str, rank: int
) -> Iterator[Candidate | Obstacle]:
    """Yield what MODULE:NAME, MODULE:FACTORY(...) or MODULE in a command means."""
    if not match:
        return
    name, attribute, arguments = match.groups()
    module = source.module(name)
    if not module or name.partition(".")[0] in OURS:
        return
    attribute = attribute or "application"
    definition = source.find(module, attribute)
    if not definition:
        return
    if is_factory(source, definition, attribute):
        missing = required_arguments(definition.node)
        if missing or (arguments and arguments != "()"):
            says = f"{where} has the factory {attribute} of {name} called with arguments. "
            says += two_lines(source, name, attribute, arguments or "")
            yield Obstacle(says, rank, definition.node)
            return
        arguments = "()"
    elif arguments and arguments != "()":
        says = f"{where} calls {attribute} of {name} with arguments. "
        yield Obstacle(says + two_lines(source, name, attribute, arguments), rank)
        return
    if problem_of_target(source, name, attribute, bool(arguments)) is None:
        yield Candidate(f"{name}:{attribute}{arguments or ''}", where, rank)
    elif started := starts_server(source, module):
        yield Obstacle(problem_of_start(module, started), rank)


def of_module(
    source: Source, module: Module, where: str, rank: int
) -> Iterator[Candidate | Obstacle]:
    """Yield what Flask finds by itself in a module."""
    found = apps_in(source, module)
    if found:
        names = [each.name for each in found]
        chosen = [name for name in ("app", "application") if name in names][:1] or names
        if started := starts_server(source, module):
            yield Obstacle(problem_of_start(module, started), rank)
        else:
            for name in chosen:
                yield Candidate(f"{module.name}:{name}", where, rank)
        return
    for name in "create_app", "make_app":
        definition = source.find(module, name)
        if definition and is_factory(source, definition, name):
            yield from of_target(source, TARGET.match(f"{module.name}:{name}"), where, rank)
            return


@dataclass(frozen=True)
class App:
    """A name in a module that stands for an application."""

    name: str
    by_factory: bool
    imported: bool


def guesses(source: Source) -> Iterator[Candidate | Obstacle]:
    for path in source.files:
        name = source.name_of(path)
        module = name and source.module(name)
        if not module or module.where != path or name in OURS | {"__init__"}:
            continue
        inside = "." in module.name or module.is_package
        last = "__init__" if module.is_package else module.name.rpartition(".")[2]
        if OTHER_USE.fullmatch(last) or not may_make(module, inside):
            continue
        if inside and is_script_of_folder(source, module):
            continue
        if not module.tree:
            if module.mistake and not inside and last in {*WSGI_NAMES, "app"}:
                says = (
                    f"{module.mistake} Mend it, and bake again, or answer what it serves, such as "
                )
                yield Obstacle(f"{says}wsgi_app={last}:app", rank_of(last, inside, False))
            continue
        depth = module.name.count(".")
        factories = factories_in(source, module)
        for app in apps_in(source, module):
            if app.imported and last not in {*ENTRIES, *WSGI_NAMES, "app", "manage"}:
                continue
            rank = rank_of(last, inside, app.by_factory or app.imported) + depth
            if any(returns_global(source, module, node, app.name) for node in factories):
                rank += MADE_ELSEWHERE
            if started := starts_server(source, module):
                if not app.imported:
                    yield Obstacle(problem_of_start(module, started), rank)
                continue
            where = f"{module.where}:{module.scope.lines[app.name]}"
            yield Candidate(f"{module.name}:{app.name}", where, rank)
        for node in factories:
            rank = FACTORY_INNER if inside else FACTORY_IN_ENTRY
            if last in ENTRIES | {"__init__", "wsgi", "app", "factory"}:
                rank = FACTORY_IN_ENTRY if last == "__init__" or not inside else FACTORY_IN_PACKAGE
            rank += depth + 3 * (node.name != "create_app")
            if required_arguments(node):
                says = f"{module.line(node)} has the factory {node.name}, which needs arguments. "
                says += two_lines(source, module.name, node.name, "")
                yield Obstacle(says, NEEDS_ARGUMENTS + rank, node)
            else:
                yield Candidate(f"{module.name}:{node.name}()", module.line(node), rank)


def rank_of(last: str, inside: bool, by_factory: bool) -> int:
    if last in WSGI_NAMES:
        return WSGI_IN_PACKAGE if inside else WSGI_MODULE
    if not inside and last == "app":
        return APP_MODULE
    if not inside and last in ENTRIES:
        return ENTRY_MODULE
    if not inside and last == "manage":
        return MANAGE
    if by_factory and last != "__init__":
        return MADE_ELSEWHERE + 10 * inside
    if inside:
        return IN_PACKAGE if last in ENTRIES | {"__init__", "app"} else INNER_MODULE
    return ROOT_MODULE


def may_make(module: Module, inside: bool) -> bool:
    """Whether it is worth parsing."""
    words = r"Flask\w*\(|OpenAPI\(|\bapp\b.*=|application|_app\("
    words = words if inside else r"Flask|OpenAPI|\bapp\b|application|_app\b|server?\b"
    return bool(re.search(words, module.text))


def is_script_of_folder(source: Source, module: Module) -> bool:
    """Whether it only works with its own folder on Python's path, or belongs to another project."""
    folder = module.path.parent
    if folder == source.folder / "src" or os.path.exists(folder / "__init__.py"):
        return False
    if folder.name in {"bin", "scripts", "tools"} or has_requirements(folder):
        return True
    return any(
        os.path.exists(folder / f"{name}.py") or os.path.exists(folder / name / "__init__.py")
        for name in re.findall(r"^(?:from|import)\s+(\w+)", module.text, re.MULTILINE)
        if not source.module(name)
    )


def has_requirements(folder: Path) -> bool:
    names = "requirements*.txt", "pyproject.toml", "Pipfile", "setup.py", "requirements"
    return any(True for name in names for _ in folder.glob(name))


def folders_within(folder: Path) -> Iterator[Path]:
    """Yield folders, down to two levels, in which an application may live by itself."""
    for pattern in "*/", "*/*/":
        for path in sorted(folder.glob(pattern))[:100]:
            hidden = any(BESIDE.match(part) for part in path.relative_to(folder).parts)
            if os.path.isdir(path) and not hidden and any(path.glob("*.py")):
                yield path


def advice_of_folder(source: Source, folder: str) -> str:
    if has_requirements(source.folder / folder) or not has_requirements(source.folder):
        return f"The application is in {folder}/. Run cookiecutter there: cd {quote(folder)}"
    inner = applications(source.folder / folder)
    module, _, name = inner[0].wsgi_app.partition(":") if inner else ("app", ":", "app")
    lines = ["import sys", f"sys.path.insert(0, {dumps(folder)})"]
    if name.endswith("()"):
        lines += [f"from {module} import {name[:-2]}", f"app = {name}"]
    else:
        lines += [f"from {module} import {name}"]
    return (
        f"The application is in {folder}/, where Python does not look for modules. Write one that "
        f"has it, and bake again: {command_to_write(source, lines)}"
    )


def command_to_write(source: Source, lines: list[str]) -> str:
    """Return the command that writes a new module for the gateway server."""
    name = next(name for name in WSGI_NAMES if not source.module(name))
    return f"printf '%s\\n' {' '.join(map(quote, lines))} >{name}.py"


def apps_in(source: Source, module: Module) -> list[App]:
    """Return the applications in a module's variables: one of the usual names, or else all."""
    found: dict[str, App] = {}
    wrapped = set()
    for name in module.scope.names:
        definition = source.find(module, name)
        # From a package that is installed, or that the module finds by itself.
        given = (
            module.name in WSGI_NAMES
            and name in ("app", "application")
            and definition.outside
            and not definition.outside.startswith("flask.")
        )
        if name.startswith("_") or not (given or is_app(source, definition)):
            continue
        here = definition.scope is not None and definition.scope.module is module
        found[name] = App(name, makes_app(source, maker_of(source, definition)), not here)
        if here:
            parts = (part.id for part in ast.walk(definition.node) if isinstance(part, ast.Name))
            wrapped |= set(parts) - {name}
    left = [app for name, app in found.items() if name not in wrapped] or list(found.values())
    usual = [app for app in left if app.name in ("app", "application")]
    return sorted(usual, key=lambda app: app.name)[:1] or left


def factories_in(source: Source, module: Module) -> list[ast.FunctionDef]:
    """Return the factories that a module defines: the best known name, or else all."""
    found = [
        bound[-1]
        for name, bound in module.scope.names.items()
        if FACTORY.fullmatch(name) and is_factory(source, Definition(module.scope, bound[-1]), name)
    ]
    usual = [node for node in found if node.name in ("create_app", "make_app")]
    return sorted(usual, key=lambda node: node.name)[:1] or found


def problem_of_start(module: Module, node: ast.AST) -> str:
    line = code_of(node)
    return (
        f"{module.line(node)} starts a server as soon as {module.name} is imported. Put the line "
        f'below a condition: if __name__ == "__main__": {line}'
    )


def problem_of_target(source: Source, name: str, attribute: str, called: bool) -> str | None:
    """Return why a name in a module cannot be served, or a factory of the name be called."""
    folder = source.folder
    module = source.module(name)
    if not module:
        places = [folder / root / name.replace(".", "/") for root in ("", "src")]
        if any(map(os.path.isdir, places)):
            return f"{name!a} is a folder without an __init__.py, not a module."
        return (
            f"{str(folder)!a} has no module {name!a}. Run cookiecutter in the application's folder."
        )
    definition = source.find(module, attribute)
    if not definition:
        return f"the module {name!a} ({module.where}) has no {attribute!a}."
    node = definition.node
    at = f"{definition.scope.module.line(node)}" if hasattr(node, "lineno") else module.where
    if isinstance(node, ast.Module):
        return f"{attribute!a} is a module."
    if isinstance(node, ast.AsyncFunctionDef):
        return f"{attribute!a} is a coroutine ({at}), not for WSGI."
    if isinstance(node, ast.FunctionDef):
        missing = required_arguments(node)
        if called and missing:
            return (
                f"{attribute}() needs {', '.join(missing)} ({at}). "
                f"{two_lines(source, name, attribute, '')}"
            )
        makes = is_factory(source, definition, attribute)
        # A plain WSGI application takes two arguments; a decorator may make one of anything.
        if not called and (makes or (len(missing) != 2 and not node.decorator_list)):
            if missing:
                return (
                    f"{attribute!a} is a function ({at}). {two_lines(source, name, attribute, '')}"
                )
            return (
                f"{attribute!a} is a function ({at}): answer {name}:{attribute}() with parentheses."
            )
    elif called and is_app(source, definition):
        return f"{attribute!a} is the application itself ({at}): answer {name}:{attribute}"
    elif not called and isinstance(node, ast.ClassDef):
        return f"{attribute!a} is a class ({at})."
    elif isinstance(node, ast.Constant | ast.List | ast.Dict | ast.Tuple | ast.Set | ast.JoinedStr):
        return f"{attribute!a} is {code_of(node)[:40]} ({at}), not an application."
    maker = maker_of(source, definition).outside
    if NO_APPLICATION.fullmatch(maker):
        return f"{attribute!a} is a {maker.rpartition('.')[2]} ({at}), not an application."
    if started := starts_server(source, module):
        return problem_of_start(module, started)
    return None


def two_lines(source: Source, module: str, factory: str, arguments: str) -> str:
    """Say how a factory that needs arguments is served."""
    if not arguments:
        production = name_of_production(source, module)
        arguments = f'("{production}")' if production else "(...)"
    arguments = arguments.replace("'", '"')
    if configured := re.fullmatch(r'\("([\w.]+)\.\w*(?i:dev|test|local)\w*"\)', arguments):
        configuration = source.module(configured[1])
        for name in configuration.scope.names if configuration else ():
            if "prod" in name.lower():
                arguments = f'("{configured[1]}.{name}")'
    lines = [f"from {module} import {factory}", f"app = {factory}{arguments}"]
    instead = " with its arguments for the dots" if arguments == "(...)" else ""
    return (
        f"Write a module that calls it{instead}, and bake again: {command_to_write(source, lines)}"
    )


def name_of_production(source: Source, factory_module: str) -> str | None:
    """Return what a dictionary of configurations calls that of production."""
    package = factory_module.partition(".")[0]
    for name in factory_module, "config", "settings", f"{package}.config", f"{package}.settings":
        module = source.module(name)
        for bound in module.scope.names.values() if module else ():
            for key in getattr(bound[-1], "keys", ()) if isinstance(bound[-1], ast.Dict) else ():
                if isinstance(key, ast.Constant) and key.value in ("production", "prod"):
                    return key.value
    return None
