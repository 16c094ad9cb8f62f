"""What runs when an application is imported and made, and what that code reads."""

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .applications import WSGI_APP
from .kinds import is_call, is_flask, maker_of
from .source import DEFINITIONS, FUNCTIONS, Module, Scope, Source, absolute, code_of

# In a text, what cannot be told from there on.
REST = "\0"
MOST = 200  # expressions that are followed for what decides on one
NAMES_OF_STAGES = {
    "test": re.compile(r"(?i)test"),
    "production": re.compile(r"(?i)prod|heroku|live|docker|deploy"),
    "development": re.compile(r"(?i)^dev|develop|debug|local|_dev"),
}
CONFIGURATION = re.compile(r"(.*\.)?(\w*config|\w*settings|configuration)(\.\w+)?")
COMMANDS = re.compile(r"(.*\.)?(cli|commands?|manage|management|scripts)(\..*)?")
TOUCHES = re.compile(r"(save|open|mkdir|makedirs|connect|_engine|FileHandler)\(")

Around = tuple[ast.stmt, ...]


@dataclass(frozen=True)
class Variable:
    """An environment variable that is read."""

    name: str
    required: bool
    default: ast.expr | None
    where: str


@dataclass(frozen=True)
class Setting:
    """A value of Flask's configuration. form: its line, with %s for the value."""

    name: str
    scope: Scope
    value: ast.expr
    form: str

    @property
    def where(self) -> str:
        return self.scope.module.line(self.value)


@dataclass
class Running:
    """What runs of a source when its application is imported and made, and what that reads."""

    source: Source
    wsgi_app: str

    @cached_property
    def scopes(self) -> list[Scope]:
        """The modules, classes and functions that run, the application's own first."""
        waiting = []
        if match := WSGI_APP.fullmatch(self.wsgi_app):
            waiting += self.with_parents(match[1])
            module = self.source.module(match[1])
            definition = self.source.find(module, match[2]) if module else None
            if definition and isinstance(definition.node, FUNCTIONS):
                waiting.append(self.source.inner(definition.scope, definition.node))
        waiting += [
            module.scope
            for module in self.source.all_modules()
            if CONFIGURATION.fullmatch(module.name)
        ]
        done: dict[int, Scope] = {}
        while waiting:
            scope = waiting.pop(0)
            if id(scope.node) not in done:
                done[id(scope.node)] = scope
                waiting += self.run_by(scope)
        return list(done.values())

    def with_parents(self, name: str) -> list[Scope]:
        """Return the scopes of a module and of the packages that it is in."""
        parts = name.split(".")
        names = [".".join(parts[: index + 1]) for index in range(len(parts))]
        return [module.scope for module in map(self.source.module, names) if module]

    def run_by(self, scope: Scope) -> Iterator[Scope]:
        """Yield what the code in a scope runs: imports, classes, functions that it calls."""
        source = self.source
        for node, _ in scope.expressions:
            if isinstance(node, ast.ClassDef):
                yield source.inner(scope, node)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self.with_parents(alias.name)
            elif isinstance(node, ast.ImportFrom):
                name = absolute(node, scope.module)
                for alias in node.names:
                    yield from self.with_parents(f"{name}.{alias.name}")
            elif is_call(node):
                yield from self.run_by_call(scope, node)

    def run_by_call(self, scope: Scope, node: ast.Call) -> Iterator[Scope]:
        called = self.source.resolve(scope, node.func)
        if isinstance(called.node, DEFINITIONS):
            inner = self.source.inner(called.scope, called.node)
            made = inner.names.get("__init__", [None])[-1]
            if isinstance(called.node, FUNCTIONS):
                yield inner
            elif isinstance(made, FUNCTIONS):
                yield self.source.inner(inner, made)
        if name_of(node) in ("from_object", "import_string", "import_module", "from_pyfile"):
            package = scope.module.name.partition(".")[0]
            for text in texts_of(node.args[:1]):
                name = text.removesuffix(".py").replace("/", ".")
                yield from self.with_parents(name) or self.with_parents(f"{package}.{name}")

    @cached_property
    def modules(self) -> list[Module]:
        return list(dict.fromkeys(scope.module for scope in self.scopes))

    @cached_property
    def expressions(self) -> list[tuple[Scope, ast.AST, Around]]:
        """What runs, expression by expression, with the `if`s and `try`s around it."""
        return [each for scope in self.scopes for each in expressions_in(scope)]

    @cached_property
    def everything(self) -> list[tuple[Scope, ast.AST, Around]]:
        """What runs, and what waits in functions for requests and writes or connects.

        What is for commands is left out.
        """
        found = list(self.expressions)
        seen = {id(scope.node) for scope in self.scopes}
        waiting = [
            each
            for each in self.scopes
            if TOUCHES.search(each.module.text) and not COMMANDS.fullmatch(each.module.name)
        ]
        while waiting:
            outer = waiting.pop()
            for statement, _ in outer.statements:
                if not isinstance(statement, DEFINITIONS) or id(statement) in seen:
                    continue
                seen.add(id(statement))
                if not any("command" in code_of(each) for each in statement.decorator_list):
                    inner = self.source.inner(outer, statement)
                    waiting.append(inner)
                    found += expressions_in(inner)
        return found

    def calls(self, everywhere: bool = False) -> Iterator[tuple[Scope, ast.Call, Around, str]]:
        """Yield what is called, with its dotted name from outside, in what runs or everywhere."""
        for scope, node, around in self.everything if everywhere else self.expressions:
            if is_call(node):
                yield scope, node, around, self.source.resolve(scope, node.func).outside

    @cached_property
    def settings(self) -> list[Setting]:
        found = []
        for scope, node, _ in self.expressions:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                for target in getattr(node, "targets", None) or [node.target]:
                    if name := name_of_setting(scope, target):
                        form = f"{code_of(target)} = %s"
                        found.append(Setting(name, scope, node.value, form))
            elif is_call(node):
                for keyword in node.keywords:
                    if keyword.arg and keyword.arg.isupper():
                        form = f"{keyword.arg}=%s,"
                        found.append(Setting(keyword.arg, scope, keyword.value, form))
                if name_of(node) == "setdefault" and len(node.args) == 2:
                    for name in texts_of(node.args[:1]):
                        form = f'{code_of(node.func)}("{name}", %s)'
                        found.append(Setting(name, scope, node.args[1], form))
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    for name in filter(str.isupper, texts_of([key])):
                        found.append(Setting(name, scope, value, f'"{name}": %s,'))
        return found

    @cached_property
    def variables(self) -> list[tuple[Variable, Scope, Around]]:
        return [
            (variable, scope, around)
            for scope, node, around in self.expressions
            if (variable := self.variable(scope, node))
        ]

    def variable(self, scope: Scope, node: ast.AST) -> Variable | None:
        """Return the environment variable that an expression reads."""
        source = self.source
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            for name in texts_of([node.slice]):
                if source.resolve(scope, node.value).outside == "os.environ":
                    return Variable(name, True, None, scope.module.line(node))
        names = texts_of(node.args[:1]) if is_call(node) else []
        if not names or not re.fullmatch(r"[A-Za-z_]\w*", names[0]):
            return None
        if name_of(node) == "from_envvar":
            required = not node.args[1:] and not node.keywords
            return Variable(names[0], required, None, scope.module.line(node))
        called = source.resolve(scope, node.func)
        given = node.args[1:2] + [each.value for each in node.keywords if each.arg == "default"]
        default = given[0] if given else None
        required = False
        if called.outside not in ("os.getenv", "os.environ.get", "os.environ.setdefault"):
            base = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            maker = maker_of(source, source.resolve(scope, base)).outside
            reader = r"(environs|environ)\.(Env|FileAwareEnv)|decouple\.(Auto)?Config"
            if called.outside == "decouple.config" or re.fullmatch(reader, maker):
                required = not given
            elif text := text_of_reader(called.node):
                required = "raise" in text and not called.node.args.defaults
            else:
                return None
        return Variable(names[0], required, default, scope.module.line(node))

    def variables_of(self, scope: Scope, node: ast.AST, seen: set[int] | None = None) -> set[str]:
        """Return the names of the variables that decide on the value of an expression."""
        seen = set() if seen is None else seen
        if id(node) in seen or len(seen) > MOST:
            return set()
        seen.add(id(node))
        found = set()
        for part in ast.walk(node):
            if variable := self.variable(scope, part):
                found.add(variable.name)
            if not isinstance(part, ast.Name | ast.Attribute):
                continue
            definition = self.source.resolve(scope, part)
            if isinstance(definition.node, FUNCTIONS) and id(definition.node) not in seen:
                seen.add(id(definition.node))
                inner = self.source.inner(definition.scope, definition.node)
                for statement, _ in inner.statements:
                    if isinstance(statement, ast.Return | ast.Assign) and statement.value:
                        found |= self.variables_of(inner, statement.value, seen)
            elif isinstance(definition.node, ast.expr) and definition.node is not part:
                found |= self.variables_of(definition.scope, definition.node, seen)
        return found

    def direct_variable(self, scope: Scope, node: ast.AST, depth: int = 0) -> Variable | None:
        """Return the variable whose value an expression is, perhaps with a default."""
        definition = self.source.resolve(scope, node)
        scope, node = definition.scope, definition.node
        if not scope or depth > 9:
            return None
        if variable := self.variable(scope, node):
            return variable
        parts = getattr(node, "values", [])
        if isinstance(node, ast.IfExp):
            parts = [node.body, node.orelse]
        elif is_call(node) and name_of(node) == "replace":
            parts = [getattr(node.func, "value", node)]
        found = (self.direct_variable(scope, part, depth + 1) for part in parts)
        return next(filter(None, found), None)

    @cached_property
    def flask_call(self) -> tuple[Scope, ast.Call] | None:
        for scope, node, _, _ in self.calls():
            if is_flask(self.source, self.source.resolve(scope, node.func)):
                return scope, node
        return None

    def path(self, scope: Scope, node: ast.AST) -> str | None:
        """Return the path that an expression is, or what folder it begins with and a slash.

        It is absolute: others begin at the folder of the application.
        """
        known, rest, _ = self.text(scope, node).partition(REST)
        if rest:
            known = known[: known.rfind("/") + 1]
        return posixpath.join(str(self.source.folder), known) if known else None

    def text(self, scope: Scope, node: ast.AST | None, depth: int = 0) -> str:
        """Return the text or path that an expression is, with REST where it cannot be told."""

        def of(part: ast.AST | None) -> str:
            return self.text(scope, part, depth + 1)

        if depth > 20 or node is None:
            return REST
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.JoinedStr):
            return "".join(map(of, node.values))
        if isinstance(node, ast.FormattedValue):
            return of(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return of(node.left) + of(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return posixpath.join(of(node.left), of(node.right))
        if isinstance(node, ast.BoolOp | ast.IfExp):
            parts = getattr(node, "values", None) or [node.body, node.orelse]
            return next((text for part in parts if not (text := of(part)).startswith(REST)), REST)
        if isinstance(node, ast.Name) and node.id == "__file__":
            return str(scope.module.path)
        if variable := self.variable(scope, node):
            return of(variable.default)
        if isinstance(node, ast.Subscript):
            attribute = getattr(node.value, "attr", "")
            if attribute == "config":
                return self.text_of_setting(texts_of([node.slice]), depth)
            if attribute == "parents" and isinstance(getattr(node.slice, "value", None), int):
                path = of(node.value.value)
                for _ in range(node.slice.value + 1):
                    path = dirname(path)
                return path
        if is_call(node):
            return self.text_of_call(scope, node, depth)
        if isinstance(node, ast.Attribute):
            if node.attr in ("root_path", "instance_path", "static_folder"):
                return self.text_of_flask(node.attr)
            if node.attr == "parent":
                return dirname(of(node.value))
        if isinstance(node, ast.Name | ast.Attribute):
            definition = self.source.resolve(scope, node)
            if definition.outside in ("os.pardir", "os.path.pardir"):
                return ".."
            if definition.scope and definition.node is not node:
                return self.text(definition.scope, definition.node, depth + 1)
        return REST

    def text_of_call(self, scope: Scope, node: ast.Call, depth: int) -> str:
        outside = self.source.resolve(scope, node.func).outside
        name = name_of(node)
        owner = getattr(node.func, "value", None)
        given = [self.text(scope, each, depth + 1) for each in node.args] or [""]
        if outside in ("os.path.join", "pathlib.Path", "pathlib.PurePath") or name == "safe_join":
            return posixpath.join(*given)
        if outside in ("os.getcwd", "pathlib.Path.cwd"):
            return str(self.source.folder)
        if outside == "os.path.dirname":
            return dirname(given[0])
        if outside in ("os.path.abspath", "os.path.realpath", "os.path.normpath"):
            path = posixpath.normpath(posixpath.join(str(self.source.folder), given[0]))
            return REST if given[0].startswith(REST) else path
        if name in ("str", "fspath"):
            return given[0]
        if name == "get" and getattr(owner, "attr", "") == "config":
            return self.text_of_setting(texts_of(node.args[:1]), depth)
        if owner and name in ("resolve", "absolute", "as_posix"):
            return self.text(scope, owner, depth + 1)
        if owner and name == "joinpath":
            return posixpath.join(self.text(scope, owner, depth + 1), *given)
        if owner and name == "format":
            return re.sub(r"\{.*", REST, self.text(scope, owner, depth + 1))
        return REST

    def text_of_setting(self, names: list[str], depth: int) -> str:
        for each in self.settings:
            if each.name in names:
                return self.text(each.scope, each.value, depth + 1)
        return REST

    def text_of_flask(self, attribute: str) -> str:
        """Return a path that Flask makes of where the application is."""
        if not self.flask_call:
            return REST
        scope, call = self.flask_call
        root = scope.module.path.parent
        if attribute == "root_path":
            return str(root)
        for keyword in call.keywords:
            known = self.text(scope, keyword.value) if keyword.arg == attribute else REST
            if not known.startswith(REST):
                return posixpath.join(str(root), known)
        if attribute == "static_folder":
            return str(root / "static")
        top = scope.module.name.count(".") + scope.module.is_package
        return str([root, *root.parents][top] / "instance")


def expressions_in(scope: Scope) -> list[tuple[Scope, ast.AST, Around]]:
    return [(scope, *each) for each in scope.expressions] if stage(scope) != "test" else []


def stage(scope: Scope) -> str:
    """Return for what a class or module of settings is by its name, or "" for anything."""
    names = [each.node.name for each in (scope, scope.outer) if each and is_class(each)]
    module = scope.module.name
    if CONFIGURATION.fullmatch(module) or re.match(r"(dev|test|prod|local)", module):
        names.append(module.rpartition(".")[2])
    else:
        names = [name for name in names if re.search(r"(?i)conf|setting", name)]
    for name in names:
        for kind, pattern in NAMES_OF_STAGES.items():
            if pattern.search(name):
                return kind
    return ""


def dirname(path: str) -> str:
    return REST if REST in path else posixpath.dirname(path)


def is_class(scope: Scope) -> bool:
    return isinstance(scope.node, ast.ClassDef)


def name_of(call: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "")


def texts_of(values: list) -> list[str]:
    """Return those of some expressions that are texts."""
    values = [getattr(value, "value", None) for value in values if isinstance(value, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


def name_of_setting(scope: Scope, target: ast.AST) -> str | None:
    name = ""
    if isinstance(target, ast.Name) and not isinstance(scope.node, FUNCTIONS):
        name = target.id
    elif isinstance(target, ast.Subscript):
        name = next(iter(texts_of([target.slice])), "")
    elif isinstance(target, ast.Attribute) and target.attr == "secret_key":
        name = "SECRET_KEY"
    return name if name.isupper() else None


def text_of_reader(function: ast.AST | None) -> str:
    """Return the code of a function that reads the variable whose name it is told."""
    if not isinstance(function, ast.FunctionDef) or not function.args.args:
        return ""
    text = code_of(function)
    name = function.args.args[0].arg
    return text if re.search(rf"environ(\.get\(|\[){name}\b|getenv\({name}\b", text) else ""
