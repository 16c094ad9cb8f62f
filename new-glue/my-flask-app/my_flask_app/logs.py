"""Logging: one format for the application and its server, and a request id on each line."""

import logging
import re
import secrets
import time
from collections.abc import Iterable
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, has_request_context, request

from . import wsgi

FORMAT = "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"

# Where the id and the start of a request are in its WSGI environment.
REQUEST_ID = f"{__package__}.request_id"
STARTED = f"{__package__}.started"

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
    # Alembic, when it is imported, has a line for each of its plugins.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    # gunicorn's lines, at the same level, go to the same handler.
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True


def log_requests(_app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Give each request an id, and log it."""
    logged = wsgi.before_headers(application, log_request)

    def begin(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        # Whatever a proxy names it by, unless it could forge a log line.
        environ[REQUEST_ID] = given if USABLE_ID.fullmatch(given) else secrets.token_hex(16)
        environ[STARTED] = time.perf_counter()
        return logged(environ, start_response)

    return begin


def log_request(environ: WSGIEnvironment, status: str, headers: wsgi.Headers) -> None:
    headers.append(("X-Request-ID", environ[REQUEST_ID]))
    # Werkzeug's development server logs requests itself.
    if not environ.get("SERVER_SOFTWARE", "").startswith("Werkzeug"):
        access.info(
            "%s %s %s %.0f ms",
            environ["REQUEST_METHOD"],
            # Quoted, against forged lines, and without the query, which may hold a secret.
            quote(environ["PATH_INFO"], encoding="latin-1"),
            status[:3],
            1000 * (time.perf_counter() - environ[STARTED]),
        )


def request_id() -> str:
    """Return the id of the request that is answered, "-" outside of one."""
    return request.environ.get(REQUEST_ID, "-") if has_request_context() else "-"


def add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id()
    return True
