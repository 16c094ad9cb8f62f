"""Logging: one format for the application and its server, and a request id on each line."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, has_request_context, request

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FORMAT = "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"

# Finding these out takes time: https://docs.python.org/3/howto/logging.html#optimization
NOT_SHOWN = ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks", "_srcfile")

REQUEST_ID = f"{__package__}.request_id"
USABLE_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)

access = logging.getLogger(f"{__package__}.access")


class IndentingFormatter(logging.Formatter):
    """Indents all lines of a record but its first, so that no visitor can forge a record."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n  ".join(super().format(record).splitlines())


def init_app(app: Flask) -> None:
    formatter: logging.Formatter = IndentingFormatter(FORMAT)
    if app.config["LOG_FORMAT"] == "json":
        from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415

        formatter = JsonFormatter(FORMAT)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    handler.addFilter(add_request_id)
    logging.basicConfig(level=app.config["LOG_LEVEL"].upper(), handlers=[handler], force=True)
    for detail in NOT_SHOWN:
        setattr(logging, detail, False)
    # Alembic, when it is imported, has a line for each of its plugins.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
{% if cookiecutter.gateway_server == 'gunicorn' %}
    # gunicorn's lines, at the same level, go to the same handler.
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True
{% endif %}

    application = app.wsgi_app

    def log_request(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        # Whatever a proxy names it by, unless it could forge a log line.
        environ[REQUEST_ID] = given if USABLE_ID.fullmatch(given) else secrets.token_hex(16)
        started = time.perf_counter()

        def log_and_start(
            status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            headers.append(("X-Request-ID", environ[REQUEST_ID]))
            # Werkzeug's development server logs requests itself.
            if not environ.get("SERVER_SOFTWARE", "").startswith("Werkzeug"):
                access.info(
                    "%s %s %s %.0f ms",
                    environ["REQUEST_METHOD"],
                    # Quoted, against forged lines, and without the query, which may hold a secret.
                    quote(environ["PATH_INFO"], encoding="latin-1"),
                    status[:3],
                    1000 * (time.perf_counter() - started),
                )
            return start_response(status, headers, exc_info)

        return application(environ, log_and_start)

    app.wsgi_app = log_request  # type: ignore[method-assign]


def request_id() -> str:
    """Return the id of the request that is answered, "-" outside of one."""
    return request.environ.get(REQUEST_ID, "-") if has_request_context() else "-"


def add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id()
    return True
