"""WSGI layers around Flask. A layer is a function that wraps a WSGI application in another.

What changes the headers of all responses is a layer, because Flask's after_request takes longer.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

Headers = list[tuple[str, str]]


def surround(app: Flask, *layers: Callable[[Flask, WSGIApplication], WSGIApplication]) -> None:
    """Wrap the application in layers, the first of which sees a request first."""
    for layer in reversed(layers):
        app.wsgi_app = layer(app, app.wsgi_app)  # type: ignore[assignment, method-assign]


def before_headers(
    application: WSGIApplication, change: Callable[[WSGIEnvironment, str, Headers], None]
) -> WSGIApplication:
    """Have `change` see the environment, status and headers of each response before it starts."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: Headers, exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            change(environ, status, headers)
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return wrapped
