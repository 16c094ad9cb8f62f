"""Health for monitors and load balancers: /healthz and /readyz.

Divio itself asks for /, and has no path to configure.
https://docs.divio.com/background/build-process/
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug import Response

from . import checks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def init_app(app: Flask) -> None:
    """Answer in front of the application, so that no rule about hosts or HTTPS applies."""
    application = app.wsgi_app

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/healthz":
            return alive()(environ, start_response)
        if environ["PATH_INFO"] == "/readyz":
            return ready(app)(environ, start_response)
        return application(environ, start_response)

    app.wsgi_app = answer  # type: ignore[method-assign]


def alive() -> Response:
    """Answer 200 as long as the process lives."""
    return Response("ok\n", headers={"Cache-Control": "no-store"})


def ready(app: Flask) -> Response:
    """Answer 200 if database and media storage can be used, else 503, and say which cannot."""
    with app.app_context():
        found = [
            checks.check("database", checks.database),
            checks.check("media", checks.media_storage),
        ]
    for check in found:
        if not check.ok:
            app.logger.error("Not ready, %s: %s", check.name, check.detail)
    lines = [f"{check.name}: {'ok' if check.ok else 'failed'}\n" for check in found]
    status = 200 if all(check.ok for check in found) else 503
    return Response("".join(lines), status, headers={"Cache-Control": "no-store"})
