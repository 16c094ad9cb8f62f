"""What the code of an application tells about it, parsed and never run."""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .applications import Candidate, applications, files, problem_of
from .kinds import is_call, maker_of
from .running import Running, Setting, is_class, name_of, stage, texts_of
from .source import Definition, Scope, Source, code_of, read, source_of

__all__ = ["Candidate", "Code", "applications", "look", "problem_of"]

DATABASE_SETTING = re.compile(r"(SQLALCHEMY_DATABASE|DATABASE|DB)_(URI|URL|DSN)")
DATABASE_VARIABLE = re.compile(
    r"(\w+_)?(DATABASE|DB|SQLALCHEMY|POSTGRES|POSTGRESQL|PG|MYSQL)_(\w+_)?(URL|URI|DSN)"
)
CONNECTS = re.compile(
    r".*\.create_(async_)?engine"
    r"|(psycopg2?|asyncpg|pymysql|MySQLdb|mysql\.connector|sqlite3)\.connect"
)
# Of engines, sessions and models of SQLAlchemy.
QUERIES = re.compile(
    r".*\b(\w*engine\.(connect|begin|execute)|session\.(execute|scalars?|query|commit)"
    r"|query\.(all|first|get|filter|filter_by|order_by))",
    re.DOTALL,
)
FOLDER_SETTING = re.compile(
    r"UPLOADED_\w+_DEST|WHOOSH_BASE|\w*(UPLOAD|MEDIA|AVATAR|ATTACHMENT|PHOTO|IMAGE|PICTURE|CACHE|LOG"
    r"|SESSION_FILE|WHOOSH|BACKUP|EXPORT)\w*_(FOLDER|DIR|DIRECTORY|PATH|DEST|ROOT|LOCATION)"
)
FOLDER_WORD = re.compile(r"(?!.*\.\.)[\w.][\w./-]*/", re.ASCII)
WRITABLE = re.compile(r"(/tmp|/var/tmp|/dev|/proc|/data/media)(/|$)")
FILE_HANDLER = re.compile(r"logging\.(handlers\.)?\w*FileHandler")
CELERY = re.compile(r"(.*\.)?[Cc]elery(\.\w+)*\.(Flask)?Celery")
CHOOSES = re.compile(
    r"\w*(CONFIG|CONFIGURATION|SETTINGS|ENV|ENVIRONMENT|MODE|CONFIG_(NAME|CLASS|TYPE))"
)
# In a URL, and not to be repeated; {names} in it are none.
PASSWORD = re.compile(r"://[^/\s{}]*@|:[^/\s{}'\"]+@")
LOCAL_SERVICE = re.compile(r"(redis|amqp|pyamqp|mongodb)://([^/@]*@)?(localhost|127\.0\.0\.1)\b")
# What Divio or the image sets.
GIVEN = re.compile(
    r"DATABASE_URL|SECRET_KEY|STAGE|DOMAIN|DOMAIN_ALIASES|GIT_BRANCH|SITE_NAME|DEFAULT_\w+"
    r"|HOME|PATH|PWD|USER|LANG|VIRTUAL_ENV|FLASK_(APP|DEBUG)"
)
DIVIDED = (
    "Take its parts from DATABASE_URL: with url = "
    'urllib.parse.urlsplit(os.environ["DATABASE_URL"]) they are url.hostname, url.port, '
    "url.username, url.password and url.path[1:]."
)
TO_SET = "on Divio, and in .env-local for the local stack."


@dataclass(frozen=True)
class Code:
    """What an application's code tells.

    words: the fact, folders, variables and place of Celery that the answer `found` has
    hints: sentences with file and line that are the owner's to do
    imports: the top-level modules that are imported anywhere
    connects: where a connection to the database is left open while the application is made, or ""
    """

    words: list[str]
    hints: list[str]
    imports: set[str]
    connects: str


def look(folder: Path, wsgi_app: str = "auto") -> Code:
    """Return what the code of an application tells, of the one that is found for "auto"."""
    source = source_of(folder)
    if wsgi_app == "auto":
        wsgi_app = next((each.wsgi_app for each in applications(folder)), "")
    running = Running(source, wsgi_app)
    databases = databases_of(running)
    variables = variables_of_database(running, databases)
    migrates = makes_tables(running)
    folders = list(folders_written_to(running))
    words = [
        *(["migrations-in-factory"] if migrates else []),
        *(word for word, _ in folders if word),
        *variables,
        *words_of_celery(source),
    ]
    configuration = list(hints_of_configuration(running))
    hints = [
        *(module.mistake for module in running.modules if module.mistake),
        *([] if variables else hints_of_database(running, databases)),
        *configuration,
        *hints_of_secret_key(running),
        *hints_of_variables(
            running, {*variables, *re.findall(r"\w+(?==)", "".join(configuration))}
        ),
        *hints_of_services(running),
        *hints_of_processes(folder),
        *(hint for _, hint in folders if hint),
    ]
    imports = {
        name
        for module in source.all_modules()
        for name in re.findall(r"^[ \t]*(?:import|from)[ \t]+(\w+)", module.text, re.MULTILINE)
    }
    connects = next(connections_of(running, migrates), "")
    return Code(list(dict.fromkeys(words)), list(dict.fromkeys(hints)), imports, connects)


def makes_tables(running: Running) -> bool:
    """Whether the application migrates its database, or makes tables, while it is made."""
    for _, node, around, outside in running.calls():
        makes = outside in ("flask_migrate.upgrade", "alembic.command.upgrade")
        makes |= name_of(node) == "create_all" and isinstance(node.func, ast.Attribute)
        makes |= name_of(node).startswith("execute") and any(
            re.match(r"(?i)\s*create\s+table", text) for text in texts_of(node.args[:1])
        )
        tests = (code_of(outer.test) for outer in around if isinstance(outer, ast.If))
        if makes and not any(re.search(r"(?i)\btesting\b", test) for test in tests):
            return True
    return False


# Celery


def words_of_celery(source: Source) -> list[str]:
    """Return the word for the place of the Celery object, as `celery -A` takes it."""
    command = re.compile(r"\bcelery\b[^\n]{0,200}?(?:-A|--app)[\s\"',=]+([A-Za-z_][\w.]*(?::\w+)?)")
    for path in files(source.folder, "Procfile", "*compose*.y*ml", "Dockerfile*", "*.sh"):
        for match in command.finditer(read(path)):
            place = place_of_celery(source, match[1].replace(":", "."))
            if place and place.isascii():
                return [f"celery:{place}"]
    found = []
    for module in source.all_modules():
        last = module.name.rpartition(".")[2].lower()
        for name in module.scope.names if "elery" in module.text else ():
            definition = source.find(module, name)
            imported = not definition.scope or definition.scope.module is not module
            # A module for the worker makes the application too, which the tasks need.
            starts = "celery" in last or last == "worker"
            makes_app = re.search(r"\w_app\(|app_context", module.text) is not None
            if is_celery(source, definition) and (not imported or (starts and makes_app)):
                rank = not (starts and makes_app), module.name.count(".")
                found.append((rank, f"celery:{module.name}.{name}"))
    return [word for _, word in sorted(found) if word.isascii()][:1]


def place_of_celery(source: Source, place: str) -> str | None:
    """Return MODULE.NAME of what `celery -A` is told, where that exists."""
    name, _, attribute = place.rpartition(".")
    module = source.module(place)
    if not module:
        module = source.module(name)
        return place if module and source.find(module, attribute) else None
    for attribute in "app", "celery", "celery_app", *module.scope.names:
        definition = source.find(module, attribute)
        if definition and is_celery(source, definition):
            return f"{place}.{attribute}"
    return place_of_celery(source, f"{place}.celery") if source.module(f"{place}.celery") else None


def is_celery(source: Source, definition: Definition, depth: int = 0) -> bool:
    if isinstance(definition.node, ast.Subscript):  # app.extensions["celery"]
        return code_of(definition.node).endswith("extensions['celery']")
    maker = maker_of(source, definition)
    if isinstance(maker.node, ast.ClassDef):
        bases = (source.resolve(maker.scope, base).outside for base in maker.node.bases)
        return any(map(CELERY.fullmatch, bases))
    if isinstance(maker.node, ast.FunctionDef) and depth < 9:
        inner = source.inner(maker.scope, maker.node)
        returned = (s.value for s, _ in inner.statements if isinstance(s, ast.Return) and s.value)
        return any(is_celery(source, source.resolve(inner, each), depth + 1) for each in returned)
    return bool(CELERY.fullmatch(maker.outside))


# The database


def databases_of(running: Running) -> list[Setting]:
    """Return where the application names its database: in production, if that is told apart."""
    found = [each for each in running.settings if DATABASE_SETTING.fullmatch(each.name)]
    for scope, node, _, outside in running.calls(everywhere=True):
        if CONNECTS.fullmatch(outside):
            value = node.args[0] if node.args else node
            found.append(Setting(outside, scope, value, f"{code_of(node.func)}(%s)"))
    stages = {stage(each.scope) for each in found}
    left_out = {"development"} if stages - {"development"} else set()
    left_out |= {""} if "production" in stages else set()
    return [each for each in found if stage(each.scope) not in left_out]


def consults(running: Running, databases: list[Setting]) -> bool:
    """Whether one of them follows DATABASE_URL, perhaps by ways that parsing does not see."""
    if any("DATABASE_URL" in running.variables_of(each.scope, each.value) for each in databases):
        return True
    quoted = re.compile(r"""(?<!config\[)["']DATABASE_URL["'](?!\]? *[=:])""")
    return any(
        quoted.search(module.text)
        for module in [*running.modules, *(each.scope.module for each in databases)]
    )


def variables_of_database(running: Running, databases: list[Setting]) -> list[str]:
    """Return the variables whose value becomes the URL of the database, besides DATABASE_URL."""
    if consults(running, databases):
        return []
    found = []
    for each in databases:
        direct = running.direct_variable(each.scope, each.value)
        names = sorted(running.variables_of(each.scope, each.value))
        found += [direct.name] if direct else filter(DATABASE_VARIABLE.fullmatch, names)
    if not databases:
        names = [variable.name for variable, scope, _ in running.variables if not stage(scope)]
        found += filter(DATABASE_VARIABLE.fullmatch, names)
    return [name for name in dict.fromkeys(found) if re.fullmatch(r"[A-Z][A-Z0-9_]*", name)]


def hints_of_database(running: Running, databases: list[Setting]) -> Iterator[str]:
    if consults(running, databases):
        return
    hints: dict[str, list[str]] = {}
    for each in databases:
        literal = running.text(each.scope, each.value)
        variables = running.variables_of(each.scope, each.value)
        if each.name == "sqlite3.connect":
            says = (
                " opens an SQLite file, and Divio keeps no files: each deployment begins with an "
                "empty database. Keep the data in the database that DATABASE_URL names."
            )
        elif each.name.endswith("connect") and is_call(each.value):
            says = f" connects to a database that it names itself. {DIVIDED}"
        elif variables and not literal.startswith("sqlite"):
            says = f" makes the URL of the database of {', '.join(sorted(variables))}. "
            says += replaced(each)
        elif "://" in literal and not re.fullmatch(r"sqlite(\+\w+)?://(/:memory:)?", literal):
            kind = "an SQLite file" if literal.startswith("sqlite") else "a database of its own"
            says = f" names {kind}. {replaced(each)}"
            if "check_same_thread" in each.scope.module.text:
                says += ". Leave out check_same_thread, which only SQLite knows."
        else:
            continue
        hints.setdefault(each.name, []).append(each.where + says)
    for first, *others in hints.values():
        also = ", ".join(hint.partition(" ")[0] for hint in others)
        yield f"{first} Likewise: {also}" if others else first
    for each in running.settings:
        if re.fullmatch(r"(MYSQL|MYSQL_DATABASE)_HOST", each.name) and not databases:
            yield f"{each.where} names the database's server. {DIVIDED}"


def replaced(setting: Setting) -> str:
    """Say how a line reads that follows DATABASE_URL first."""
    value = code_of(setting.value)
    new = 'os.environ["DATABASE_URL"]'
    if not PASSWORD.search(value):
        value = f"({value})" if isinstance(setting.value, ast.IfExp) else value
        new = f'os.environ.get("DATABASE_URL") or {value}'
    new = setting.form % new
    return f"Replace it by: {new}{import_of_os(setting.scope)}"


def import_of_os(scope: Scope) -> str:
    return "" if "os" in scope.module.scope.names else " (and import os above)"


def connections_of(running: Running, migrates: bool) -> Iterator[str]:
    """Yield where the application connects while it is made.

    migrates: whether migration_lock.py closes what SQLAlchemy has opened
    """
    for scope, node, _, outside in running.calls():
        connects = CONNECTS.fullmatch(outside) and name_of(node) == "connect"
        if connects or (not migrates and QUERIES.fullmatch(code_of(node.func))):
            yield scope.module.line(node)


# Folders


def folders_written_to(running: Running) -> Iterator[tuple[str, str]]:
    """Yield the folders that are written to: words, or else hints."""
    for each in running.settings:
        if each.name == "SESSION_TYPE" and texts_of([each.value]) == ["filesystem"]:
            yield "flask_session/", ""
        if not FOLDER_SETTING.fullmatch(each.name) or stage(each.scope) == "development":
            continue
        if path := running.path(each.scope, each.value):
            is_file = Path(path).suffix[1:].isalpha()
            yield word_of_folder(running, posixpath.dirname(path) if is_file else path, each.where)
    yield from folders_of_assets(running)
    for scope, node, around, outside in running.calls(everywhere=True):
        where = scope.module.line(node)
        name = name_of(node)
        first = node.args[0] if node.args else getattr(node.func, "value", node)
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in ("makedirs", "mkdir"):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else first
            if path := running.path(scope, first if outside.startswith("os.") else owner):
                yield word_of_folder(running, path, where)
            continue
        modes = texts_of([*node.args[1:2], options.get("mode")])
        writes = name == "open" and any(re.fullmatch(r"[wax][bt+]*", mode) for mode in modes)
        writes |= name == "save" and isinstance(node.func, ast.Attribute) and bool(node.args)
        handles = FILE_HANDLER.fullmatch(outside) is not None
        if not writes and not handles:
            continue
        if path := running.path(scope, options.get("filename", first)):
            word, hint = word_of_folder(running, posixpath.dirname(path), where)
            if any(isinstance(outer, ast.Try) for outer in around):
                hint = ""  # it is prepared for that
            if hint and handles:
                hint = f"{where} logs to a file that the image's account may not write. Log to "
                hint += f"standard output: logging.StreamHandler() instead of {name}(...)."
            yield word, hint


def folders_of_assets(running: Running) -> Iterator[tuple[str, str]]:
    """Yield the folders in which Flask-Assets builds files when a page first asks for them."""
    calls = list(running.calls())
    blueprints = {
        name
        for _, node, _, outside in calls
        if outside == "flask.Blueprint"
        for name in texts_of(node.args[:1])
    }
    static = running.text_of_flask("static_folder")
    for scope, node, _, outside in calls:
        where = scope.module.line(node)
        if outside == "flask_assets.Environment":
            yield word_of_folder(running, posixpath.join(static, ".webassets-cache"), where)
        elif outside == "flask_assets.Bundle":
            outputs = texts_of([each.value for each in node.keywords if each.arg == "output"])
            for folder in map(posixpath.dirname, outputs):
                first, _, rest = folder.partition("/")
                path = posixpath.join(static, rest if first in blueprints else folder)
                yield word_of_folder(running, path, where)


def word_of_folder(running: Running, path: str, where: str) -> tuple[str, str]:
    """Return the word for a folder that is written to, or a hint if it cannot be one."""
    root = str(running.source.folder)
    path = posixpath.normpath(path)
    inner = posixpath.relpath(path, root) + "/"
    if inner.startswith("../"):
        says = f"{where} writes to {path}, which the image's account may not."
        return "", "" if WRITABLE.match(path) else f"{says} Take a folder of the application."
    if inner.startswith(("instance/", "data/media/")):
        return "", ""
    if inner == "./" or any(Path(path).glob("*.py")) or not FOLDER_WORD.fullmatch(inner):
        among = "beside the code" if inner == "./" else f"to {inner}, among the code"
        says = f"{where} writes {among}, which the image's account may not."
        return "", f"{says} Take a folder of its own, and bake again."
    return inner, ""


# Other hints


def hints_of_configuration(running: Running) -> Iterator[str]:
    """Name the variable that chooses the configuration of production, where none is the default."""
    classes = {scope.node.name: scope for scope in running.scopes if is_class(scope)}
    stages = {name: stage(scope) for name, scope in classes.items()}
    production = [name for name, kind in stages.items() if kind == "production"]
    if not production or "development" not in stages.values():
        return
    keys = {}
    for _, node, _ in running.everything:
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                for name in texts_of([key]):
                    keys[name] = code_of(value).strip("'").rpartition(".")[2]
    for scope, node, around in running.expressions:
        values = node.values if isinstance(node, ast.BoolOp) else [node]
        variable = running.variable(scope, values[0])
        if not variable or not CHOOSES.fullmatch(variable.name):
            continue
        arguments = getattr(scope.node, "args", None)
        names = {each.arg for each in arguments.args} if arguments else set()
        if names and not running.wsgi_app.endswith("()") and given_unless(names, around):
            continue
        default = next(iter(texts_of([*values[1:], variable.default])), "")
        if keys.get(default, default.rpartition(".")[2]) not in production:
            value = f"{classes[production[0]].module.name}.{production[0]}"
            value = next((key for key, name in keys.items() if name in production), value)
            yield (
                f"{variable.where} chooses the configuration by {variable.name}. Set "
                f"{variable.name}={value} {TO_SET}"
            )
        return


def given_unless(names: set[str], around: tuple[ast.stmt, ...]) -> bool:
    """Whether a statement runs only if an argument is missing."""
    tests = (outer.test for outer in around if isinstance(outer, ast.If))
    return any(getattr(part, "id", "") in names for test in tests for part in ast.walk(test))


def hints_of_secret_key(running: Running) -> Iterator[str]:
    keys = [
        each
        for each in running.settings
        if each.name == "SECRET_KEY" and stage(each.scope) != "development"
    ]
    if any(running.variables_of(each.scope, each.value) for each in keys):
        return
    for each in keys:
        if isinstance(each.value, ast.Constant) and isinstance(each.value.value, str | bytes):
            new = each.form % 'os.environ.get("SECRET_KEY", "dev")'
            yield (
                f"{each.where} has the secret key in the code, where it is none. "
                f"Replace it by: {new}{import_of_os(each.scope)}"
            )


def hints_of_variables(running: Running, known: set[str]) -> Iterator[str]:
    """Name all variables that have to be set, in one sentence."""
    found: dict[str, str] = {}
    insisted = set(insisted_on(running))
    for variable, scope, around in running.variables:
        tests = (code_of(outer.test) for outer in around if isinstance(outer, ast.If))
        tried = any(isinstance(outer, ast.Try) for outer in around)
        required = variable.required and not tried and not any(variable.name in t for t in tests)
        if (required or variable.name in insisted) and stage(scope) != "development":
            found.setdefault(variable.name, variable.where)
    for each in running.settings:
        # Secret, though it has a default.
        variable = running.direct_variable(each.scope, each.value)
        if each.name == "SECRET_KEY" and variable and stage(each.scope) != "development":
            found.setdefault(variable.name, each.where)
    needed = {
        name: where
        for name, where in found.items()
        if name not in known and not GIVEN.fullmatch(name)
    }
    if needed:
        where = next(iter(needed.values()))
        yield (
            f"{where} reads a variable that has no safe default. Set {', '.join(needed)} {TO_SET}"
        )


def insisted_on(running: Running) -> Iterator[str]:
    """Yield the variables without which the application raises an error: `if not X: raise`."""
    for scope, node, around in running.expressions:
        if not isinstance(node, ast.Raise) or len(around) < 2:
            continue
        outer, statement = around[-2:]
        test = outer.test if isinstance(outer, ast.If) and statement in outer.body else None
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            variable = running.direct_variable(scope, test.operand)
            if variable and not variable.default:
                yield variable.name


def hints_of_services(running: Running) -> Iterator[str]:
    for each in running.settings:
        if any(map(LOCAL_SERVICE.match, texts_of([each.value]))) and not stage(each.scope):
            value = code_of(each.value)
            new = f'os.environ.get("{each.name}", {value})'
            if PASSWORD.search(value):
                new = f'os.environ["{each.name}"]'
            new = each.form % new
            yield (
                f"{each.where} names a service on localhost, where a container has none. Replace "
                f"it by: {new}{import_of_os(each.scope)}, and set {each.name} {TO_SET}"
            )


def hints_of_processes(folder: Path) -> Iterator[str]:
    """Tell of the processes of a Procfile besides web and Celery."""
    for number, line in enumerate(read(folder / "Procfile").splitlines(), 1):
        name, _, command = line.partition(":")
        if name == "release":
            yield (
                f'Procfile:{number} has a release command. Add what follows "release:" in step 2 '
                "of \"Deploy on Divio\", within sh -c '...' if it needs a shell."
            )
        elif name != "web" and re.fullmatch(r"[\w-]+", name) and "celery" not in command:
            yield (
                f"Procfile:{number} has the process {name}, and Divio starts none but the web "
                "process. Make a cron job of what runs now and then, and ask Divio's support for a "
                "container of its own for what always runs."
            )
