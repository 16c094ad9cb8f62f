"""What an expression stands for: an application, a factory of one, or neither."""

import ast
import re

from .source import UNKNOWN, Definition, Module, Source, code_of, nodes

FLASK = re.compile(r"flask(\.app)?\.Flask|.*\.(APIFlask|FlaskApp)|flask_openapi3?\.OpenAPI")
FACTORY = re.compile(
    r"(create|make|build|get|init|new|setup)_?(\w+_)?(app|application|flask|wsgi|server)"
    r"|app_factory|factory"
)
WRAPPER = re.compile(r"\w*(Middleware|Fix|WSGI|WSGIApp|WhiteNoise|Prefix|Proxied|Dispatcher)\w*")
NO_APPLICATION = re.compile(
    r".*\.(SocketIO|SQLAlchemy|Celery|Manager|FlaskGroup|Blueprint|Migrate|Api|FastAPI|Quart)"
)


def is_app(source: Source, definition: Definition, seen: frozenset = frozenset()) -> bool:
    """Whether it is an application of Flask, or one in a WSGI middleware."""
    scope, node = definition.scope, definition.node
    if not scope or id(node) in seen:
        return False
    seen |= {id(node)}

    def is_app_too(part: ast.AST) -> bool:
        bound = scope.names.get(part.id, []) if isinstance(part, ast.Name) else []
        earlier = [Definition(scope, value) for value in bound[:-1]]  # app = Middleware(app)
        return any(is_app(source, each, seen) for each in [source.resolve(scope, part), *earlier])

    if isinstance(node, ast.IfExp):
        return is_app_too(node.body) or is_app_too(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(map(is_app_too, node.values))
    if isinstance(node, ast.Subscript):  # app, socketio = create_app()
        return isinstance(node.slice, ast.Constant) and makes_app(
            source, source.resolve(scope, getattr(node.value, "func", node)), seen, node.slice.value
        )
    if isinstance(node, ast.Attribute):  # of Connexion, of Dash
        maker = maker_of(source, source.resolve(scope, node.value))
        return node.attr in ("app", "server") and bool(
            re.match(r"(connexion|dash)\.", maker.outside)
        )
    if not is_call(node):
        return False
    maker = source.resolve(scope, node.func)
    if is_flask(source, maker) or makes_app(source, maker, seen):
        return True
    name = maker.outside.rpartition(".")[2] or getattr(maker.node, "name", "")
    if maker.outside and FACTORY.fullmatch(name):
        return True
    return bool(WRAPPER.fullmatch(name)) and any(map(is_app_too, node.args))


def is_call(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call)


def maker_of(source: Source, definition: Definition) -> Definition:
    """Return the function or class that is called to make an object."""
    if is_call(definition.node):
        return source.resolve(definition.scope, definition.node.func)
    return UNKNOWN


def is_flask(source: Source, definition: Definition, depth: int = 0) -> bool:
    """Whether it is the class Flask or one that is derived from it."""
    if isinstance(definition.node, ast.ClassDef) and depth < 9:
        bases = (source.resolve(definition.scope, base) for base in definition.node.bases)
        return any(is_flask(source, base, depth + 1) for base in bases)
    return bool(FLASK.fullmatch(definition.outside))


def makes_app(
    source: Source,
    definition: Definition,
    seen: frozenset = frozenset(),
    element: int | None = None,
) -> bool:
    """Whether it is a function that returns an application, or a tuple with it at an index."""
    function = definition.node
    if not isinstance(function, ast.FunctionDef) or id(function) in seen:
        return False
    seen |= {id(function)}
    scope = source.inner(definition.scope, function)
    for statement, _ in scope.statements:
        value = statement.value if isinstance(statement, ast.Return) else None
        if isinstance(value, ast.Tuple) and element is not None and element < len(value.elts):
            value = value.elts[element]
        if value and is_app(source, source.resolve(scope, value), seen):
            return True
    return False


def is_factory(source: Source, definition: Definition, name: str) -> bool:
    """Whether it is a function that returns an application, or has such a name and returns."""
    function = definition.node
    if not isinstance(function, ast.FunctionDef):
        return False
    if makes_app(source, definition):
        return True
    scope = source.inner(definition.scope, function)
    returned = [s.value for s, _ in scope.statements if isinstance(s, ast.Return) and s.value]
    # Arguments that come back, and several values, are no application that is made here.
    plain = not any(
        isinstance(value, ast.Tuple | ast.Constant)
        or isinstance(source.resolve(scope, value).node, ast.arg)
        for value in returned
    )
    return bool(FACTORY.fullmatch(name) and returned) and plain


def returns_global(source: Source, module: Module, function: ast.AST, name: str) -> bool:
    """Whether a factory completes and returns the application in a variable of its module."""
    scope = source.inner(module.scope, function)
    returned = (s.value for s, _ in scope.statements if isinstance(s, ast.Return))
    return name not in scope.names and any(
        isinstance(value, ast.Name) and value.id == name for value in returned
    )


def required_arguments(function: ast.AST) -> list[str]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    required += [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if not default
    ]
    return [argument.arg for argument in required]


def starts_server(source: Source, module: Module) -> ast.AST | None:
    """Return the call with which a module starts a server when it is imported."""
    for statement, around in module.scope.statements:
        if any("__name__" in code_of(outer.test) for outer in around if hasattr(outer, "test")):
            continue
        for node in nodes(statement) if isinstance(statement, ast.Expr) else ():
            if is_call(node) and isinstance(node.func, ast.Attribute) and node.func.attr == "run":
                base = source.resolve(module.scope, node.func.value)
                maker = maker_of(source, base)
                if is_app(source, base) or NO_APPLICATION.fullmatch(maker.outside):
                    return node
    return None
