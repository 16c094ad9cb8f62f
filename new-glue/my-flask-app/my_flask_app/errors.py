"""Error pages, as HTML or JSON."""

import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import IO, Any

from flask import Flask, current_app, jsonify, render_template, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug import Response
from werkzeug.exceptions import HTTPException, SecurityError, ServiceUnavailable
from werkzeug.wsgi import get_input_stream

from . import database_limits, logs

JSON = "application/json"

# Where an API is, whose clients get errors as JSON whatever they accept.
API = "/api/"

UNAVAILABLE = "The database cannot be used: %s"

# When a client that got 503 may ask again.
RETRY_SECONDS = 5

# How long the rest of a body is read after it was refused.
DISCARD_SECONDS = 5


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(SQLAlchemyError, answer_for_database)


def answer(error: HTTPException) -> Response:
    response = Response.force_type(error.get_response(), request.environ)
    response.vary.add("Accept")
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        response.call_on_close(partial(discard, get_input_stream(request.environ)))
    facts = {
        "code": error.code,
        "name": error.name,
        "description": error.description,
        "request_id": logs.request_id(),
    }
    if isinstance(error, SecurityError):
        # A host that is not ours: Flask makes no URLs for it, and the page has some.
        response.data, response.mimetype = "This host is not served here.\n", "text/plain"
    elif wants_json():
        response.data, response.mimetype = jsonify(facts).data, JSON
    else:
        response.data, response.mimetype = page(facts)
    return response


def answer_for_database(error: SQLAlchemyError) -> Response:
    """Answer 503 where the database cannot be used. Any other error of it is a bug, and so 500."""
    if not database_limits.is_unavailable(error):
        raise error
    current_app.logger.error(UNAVAILABLE, cause(error))
    return answer(ServiceUnavailable(retry_after=RETRY_SECONDS))


def cause(error: Exception) -> str:
    """Return the cause in one line, which has nothing of a statement or of its values."""
    # SQLAlchemy adds the statement and a link to what the driver says.
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(origin).strip().partition("\n")[0] or type(origin).__name__


def wants_json() -> bool:
    """Return whether an error is answered in JSON: below API, or where the client prefers it."""
    accepted = request.accept_mimetypes.best_match(["text/html", JSON])
    return request.path.startswith(API) or accepted == JSON


def page(facts: dict[str, Any]) -> tuple[str, str]:
    """Return the error page and its type, which is plain text where the page itself fails."""
    try:
        return render_template("error.html", **facts), "text/html"
    except Exception as error:
        if database_limits.is_unavailable(error):  # as for the name of who is signed in
            current_app.logger.error(UNAVAILABLE, cause(error))  # noqa: TRY400
        else:
            current_app.logger.exception("The error page cannot be rendered.")
        return "{code} {name}\n\nRequest {request_id}\n".format_map(facts), "text/plain"


def discard(body: IO[bytes]) -> None:
    """Read the rest of a body that is too long, after the answer to it was sent.

    A server resets a connection that it closes with something unread, and its client or the load
    balancer may then never see the answer.
    """
    end = time.monotonic() + DISCARD_SECONDS
    with suppress(Exception):
        while time.monotonic() < end and body.read(2**16):
            pass
