"""The Python of a folder, parsed and never run: what a name stands for, and what an import runs."""

import ast
import os
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

# What people keep beside an application. Hidden folders and virtual environments too.
BESIDE = re.compile(
    r"\.|(__pycache__|node_modules|bower_components|site-packages|v?env|virtualenv|tests?|testing"
    r"|docs?|examples?|samples?|migrations|alembic|build|dist)$",
    re.IGNORECASE,
)
TEST = re.compile(r"(test_.*|.*_tests?|tests?|conftest|fabfile|setup|noxfile|tasks_test)\.py")
LARGEST = 1_000_000  # bytes of a file that is read
LONGEST = 50  # chain of names that is followed
MOST = 20_000  # files that are looked at

FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
DEFINITIONS = ast.ClassDef, *FUNCTIONS
# What does not run with the statement that it is in, or is a statement for itself.
APART = ast.stmt, ast.expr_context, ast.operator, ast.Lambda, ast.ExceptHandler, ast.match_case


@dataclass(frozen=True)
class Import:
    """A name that an import binds: to `name` of a module, or to the module itself."""

    module: str
    name: str | None = None


@dataclass(frozen=True, eq=False)
class Scope:
    """A module, class or function with the names that are bound in it.

    statements: each with the `if`s and `try`s around it. What only `python FILE` runs, below
    `if __name__ == "__main__"`, is left out.
    """

    module: "Module"
    node: ast.AST
    outer: "Scope | None" = None

    @cached_property
    def statements(self) -> list[tuple[ast.stmt, tuple[ast.stmt, ...]]]:
        try:
            return list(statements(self.node.body))
        except RecursionError:  # a thousand elifs
            return []

    @cached_property
    def expressions(self) -> list[tuple[ast.AST, tuple[ast.stmt, ...]]]:
        """What its statements run, each with the statements around it."""
        return [
            (node, (*around, statement))
            for statement, around in self.statements
            for node in nodes(statement)
        ]

    @cached_property
    def names(self) -> dict[str, list[ast.AST | Import | None]]:
        """What each name is bound to, in order: None for what cannot be told."""
        names: dict[str, list[ast.AST | Import | None]] = {}
        if isinstance(self.node, FUNCTIONS):
            arguments = self.node.args
            for argument in [
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                *filter(None, [arguments.vararg, arguments.kwarg]),
            ]:
                names.setdefault(argument.arg, []).append(argument)
        for statement, _ in self.statements:
            for name, value in bindings(statement, self.module):
                names.setdefault(name, []).append(value)
        return names

    @cached_property
    def lines(self) -> dict[str, int]:
        """The last line in which each name is bound."""
        return {
            name: statement.lineno
            for statement, _ in self.statements
            for name, _ in bindings(statement, self.module)
        }


@dataclass(frozen=True, eq=False)
class Module:
    """A file of Python. One that no Python 3 can parse has no tree, and is open.

    where: its path from the folder, for people
    """

    name: str
    path: Path
    where: str

    @cached_property
    def text(self) -> str:
        return read(self.path)

    @cached_property
    def parsed(self) -> ast.Module | Exception:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as invalid escapes in a string
                return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return error

    @property
    def tree(self) -> ast.Module | None:
        return self.parsed if isinstance(self.parsed, ast.Module) else None

    @property
    def mistake(self) -> str:
        """Where it is no Python, and why; "" if that cannot be told."""
        if not isinstance(self.parsed, SyntaxError):
            return ""
        # The application's Python may be a newer one.
        python = ".".join(map(str, sys.version_info[:2]))
        where = f"{self.where}:{self.parsed.lineno or 1}"
        return f"{where} cannot be parsed by Python {python} ({self.parsed.msg})."

    @cached_property
    def scope(self) -> Scope:
        return Scope(self, self.tree or ast.Module([], []))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @cached_property
    def stars(self) -> list[str]:
        """The modules of which it imports all."""
        return [
            absolute(statement, self)
            for statement, _ in self.scope.statements
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        ]

    @cached_property
    def made_names(self) -> set[str]:
        """Names that a function declares global."""
        if not self.tree or "global " not in self.text:
            return set()
        found = (node.names for node in ast.walk(self.tree) if isinstance(node, ast.Global))
        return {name for names in found for name in names}

    @cached_property
    def is_open(self) -> bool:
        """Whether it may have names that parsing does not see."""
        made = "__getattr__" in self.scope.names or re.search(r"\b(exec|globals)\(", self.text)
        return not self.tree or bool(made)

    def line(self, node: ast.AST) -> str:
        return f"{self.where}:{node.lineno}"


@dataclass(frozen=True)
class Definition:
    """What an expression stands for: a node in its scope, or a dotted name from outside."""

    scope: Scope | None = None
    node: ast.AST | None = None
    outside: str = ""


UNKNOWN = Definition()


@dataclass
class Source:
    """The modules of a folder, as they are imported from it and from its `src`."""

    folder: Path
    modules: dict[str, Module | None] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)

    @cached_property
    def files(self) -> list[str]:
        """The paths of all Python files of the application, the upper ones first."""
        found = []
        seen = 0
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(
                name
                for name in folders
                if not BESIDE.match(name)
                and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            )
            seen += len(names)
            if seen > MOST:
                break
            found += [
                os.path.relpath(os.path.join(folder, name), self.folder).replace(os.sep, "/")
                for name in names
                if name.endswith(".py") and not TEST.fullmatch(name)
            ]
        return sorted(found, key=lambda path: (path.count("/"), path))

    def name_of(self, path: str) -> str | None:
        """Return the name under which a file is imported, if it has one."""
        parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
        if parts[0] == "src" and not os.path.isfile(self.folder / "src/__init__.py"):
            parts = parts[1:]
        return ".".join(parts) if all(part.isidentifier() for part in parts) else None

    def module(self, name: str) -> Module | None:
        """Return a module, or None where there is none, or only a folder without code."""
        if name not in self.modules:
            self.modules[name] = self.look_for(name)
        return self.modules[name]

    def look_for(self, name: str) -> Module | None:
        if not re.fullmatch(r"\w+(\.\w+)*", name):
            return None
        for root in "", "src/":
            for end in "/__init__.py", ".py":
                where = root + name.replace(".", "/") + end
                path = self.folder / where
                if os.path.isfile(path):
                    return Module(name, path, where)
        return None

    def all_modules(self) -> Iterator[Module]:
        for path in self.files:
            name = self.name_of(path)
            module = name and self.module(name)
            if module and module.where == path:
                yield module

    def inner(self, outer: Scope, node: ast.AST) -> Scope:
        """Return the scope of a class or function."""
        if id(node) not in self.scopes:
            self.scopes[id(node)] = Scope(outer.module, node, outer)
        return self.scopes[id(node)]

    def find(self, module: Module, name: str, seen: frozenset = frozenset()) -> Definition | None:
        """Return what a module's name stands for, or None if it has no such name."""
        if (module, name) in seen:
            return None
        if len(seen) > LONGEST:
            return UNKNOWN
        seen |= {(module, name)}
        if name in module.scope.names:
            return self.follow(module.scope, module.scope.names[name], seen)
        if module.is_package and (inner := self.module(f"{module.name}.{name}")):
            return Definition(inner.scope, inner.scope.node)
        for star in module.stars:
            other = self.module(star)
            if not other:
                return UNKNOWN
            found = self.find(other, name, seen)
            if found:
                return found
        return UNKNOWN if name in module.made_names or module.is_open else None

    def follow(self, scope: Scope, bound: list, seen: frozenset = frozenset()) -> Definition:
        """Return what the last of some bindings stands for, but no `app = None` beside others."""
        known = [value for value in bound if not isinstance(value, ast.Constant)] or bound
        value = known[-1]
        if value is None:
            return UNKNOWN
        if isinstance(value, Import):
            return self.follow_import(value, seen)
        return self.resolve(scope, value, seen)

    def follow_import(self, imported: Import, seen: frozenset = frozenset()) -> Definition:
        module = self.module(imported.module)
        if imported.name is None:
            return (
                Definition(module.scope, module.scope.node)
                if module
                else Definition(outside=imported.module)
            )
        if module:
            return self.find(module, imported.name, seen) or UNKNOWN
        inner = self.module(f"{imported.module}.{imported.name}")  # of a folder without code
        if inner:
            return Definition(inner.scope, inner.scope.node)
        return Definition(outside=f"{imported.module}.{imported.name}")

    def resolve(self, scope: Scope, node: ast.AST, seen: frozenset = frozenset()) -> Definition:
        """Return what an expression stands for, following names and attributes."""
        if id(node) in seen or len(seen) > LONGEST:
            return UNKNOWN
        seen |= {id(node)}
        if isinstance(node, ast.Name):
            at: Scope | None = scope
            while at:
                if node.id in at.names:
                    return self.follow(at, at.names[node.id], seen)
                at = at.outer
            return self.find(scope.module, node.id, seen) or UNKNOWN
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                base = Definition(scope.outer, scope.outer.node) if scope.outer else UNKNOWN
            else:
                base = self.resolve(scope, node.value, seen)
            if base.outside:
                return Definition(outside=f"{base.outside}.{node.attr}")
            if isinstance(base.node, ast.Module):
                return self.find(base.scope.module, node.attr, seen) or UNKNOWN
            if isinstance(base.node, ast.Call):  # an object: of a class here?
                base = self.resolve(base.scope, base.node.func, seen)
            if isinstance(base.node, ast.ClassDef):
                inner = self.inner(base.scope, base.node)
                if node.attr in inner.names:
                    return self.follow(inner, inner.names[node.attr], seen)
        return Definition(scope, node)


@cache
def source_of(folder: Path) -> Source:
    return Source(folder)


def read(path: Path) -> str:
    """Return a text, or nothing where it is no text, too large or not to be read."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:  # A FIFO would block.
            return ""
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    except OSError:
        return ""


def code_of(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except RecursionError:
        return "..."


def is_main_guard(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.If) or not isinstance(statement.test, ast.Compare):
        return False
    return getattr(statement.test.left, "id", "") == "__name__"


def statements(
    body: list[ast.stmt], around: tuple[ast.stmt, ...] = ()
) -> Iterator[tuple[ast.stmt, tuple[ast.stmt, ...]]]:
    for statement in body:
        yield statement, around
        if isinstance(statement, DEFINITIONS):
            continue
        within = (*around, statement) if isinstance(statement, ast.If | ast.Try) else around
        if not is_main_guard(statement):
            yield from statements(getattr(statement, "body", []), within)
        for handler in getattr(statement, "handlers", []) + getattr(statement, "cases", []):
            yield from statements(handler.body, within)
        yield from statements(getattr(statement, "orelse", []), within)
        yield from statements(getattr(statement, "finalbody", []), around)


def nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the expressions that a statement itself runs, not those of statements in it."""
    if is_main_guard(statement):
        return
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, APART)]


def absolute(statement: ast.ImportFrom, module: Module) -> str:
    """Return the module that a statement imports from."""
    if not statement.level:
        return statement.module or ""
    parts = module.package.split(".")
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join([*parts, *filter(None, [statement.module])])


def bindings(statement: ast.stmt, module: Module) -> Iterator[tuple[str, ast.AST | Import | None]]:
    """Yield the names that a statement binds, and to what."""
    if isinstance(statement, DEFINITIONS):
        yield statement.name, statement
    elif isinstance(statement, ast.Import):
        for alias in statement.names:
            if alias.asname:
                yield alias.asname, Import(alias.name)
            else:
                yield alias.name.partition(".")[0], Import(alias.name.partition(".")[0])
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            if alias.name != "*":
                yield alias.asname or alias.name, Import(absolute(statement, module), alias.name)
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from targets(target, statement.value)
    elif isinstance(statement, ast.AnnAssign) and statement.value:
        yield from targets(statement.target, statement.value)
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from targets(statement.target, None)
    elif isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if item.optional_vars:
                yield from targets(item.optional_vars, None)


def targets(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        values = getattr(value, "elts", [])
        for number, each in enumerate(target.elts):
            if len(values) == len(target.elts):
                yield from targets(each, values[number])
            elif value:
                yield from targets(each, ast.Subscript(value, ast.Constant(number), ast.Load()))
            else:
                yield from targets(each, None)
