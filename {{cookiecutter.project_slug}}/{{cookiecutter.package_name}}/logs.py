"""Logging: one format for the application and its server, and a request id on each line."""

import logging
import re
import time
import uuid
from urllib.parse import quote

from flask import Flask, g, has_request_context, request
from werkzeug import Response

FORMAT = "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"

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
{% if cookiecutter.gateway_server == 'gunicorn' %}
    # gunicorn's lines, at the same level, go to the same handler.
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True
{% endif %}

    app.before_request(start)
    app.after_request(finish)


def add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = g.get("request_id", "-") if has_request_context() else "-"
    return True


def start() -> None:
    given = request.headers.get("X-Request-ID", "")
    # Whatever a proxy names it by, unless it could forge a log line.
    g.request_id = given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else uuid.uuid4().hex
    g.started = time.perf_counter()


def finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    # Werkzeug's development server logs requests itself.
    if not request.environ.get("SERVER_SOFTWARE", "").startswith("Werkzeug"):
        access.info(
            "%s %s %s %.0f ms",
            request.method,
            # Quoted, against forged lines, and without the query, which may hold a secret.
            quote(request.path),
            response.status_code,
            1000 * (time.perf_counter() - g.started),
        )
    return response
