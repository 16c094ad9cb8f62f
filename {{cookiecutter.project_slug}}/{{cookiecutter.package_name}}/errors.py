"""Error pages, as HTML or JSON, whichever the client accepts."""

from flask import Flask, g, jsonify, render_template, request
from werkzeug import Response
from werkzeug.exceptions import HTTPException, SecurityError

JSON = "application/json"


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, page)


def page(error: HTTPException) -> Response:
    response = Response.force_type(error.get_response(), request.environ)
    facts = {
        "code": error.code,
        "name": error.name,
        "description": error.description,
        "request_id": g.get("request_id", "-"),
    }
    if isinstance(error, SecurityError):
        # A host that is not ours: Flask makes no URLs for it, and the page has some.
        response.data, response.mimetype = "This host is not served here.\n", "text/plain"
    elif request.accept_mimetypes.best_match(["text/html", "application/json"]) == JSON:
        response.data, response.mimetype = jsonify(facts).data, JSON
    else:
        response.data, response.mimetype = render_template("error.html", **facts), "text/html"
    return response
