"""Error pages, as HTML or JSON, whichever the client accepts."""

from contextlib import suppress
from http import HTTPStatus

from flask import Flask, jsonify, render_template, request
from werkzeug import Response
from werkzeug.exceptions import ClientDisconnected, HTTPException, SecurityError
from werkzeug.wsgi import get_input_stream

from . import logs

JSON = "application/json"


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer)


def answer(error: HTTPException) -> Response:
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        discard_body()
    response = Response.force_type(error.get_response(), request.environ)
    facts = {
        "code": error.code,
        "name": error.name,
        "description": error.description,
        "request_id": logs.request_id(),
    }
    if isinstance(error, SecurityError):
        # A host that is not ours: Flask makes no URLs for it, and the page has some.
        response.data, response.mimetype = "This host is not served here.\n", "text/plain"
    elif request.accept_mimetypes.best_match(["text/html", "application/json"]) == JSON:
        response.data, response.mimetype = jsonify(facts).data, JSON
    else:
        response.data, response.mimetype = render_template("error.html", **facts), "text/html"
    return response


def discard_body() -> None:
    """Read a body that is longer than allowed.

    A server resets a connection that it closes with something unread, and its client or the load
    balancer may then never see the answer.
    """
    longest = request.max_content_length
    if longest is not None and (request.content_length or 0) > longest:
        stream = get_input_stream(request.environ)
        with suppress(ClientDisconnected):
            while stream.read(2**16):
                pass
