"""Health for monitors and load balancers: /healthz and /readyz.

Divio itself asks for /, and has no path to configure.
https://docs.divio.com/background/build-process/
"""

from wsgiref.types import WSGIApplication

from flask import Flask
from werkzeug import Request, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from . import probes

NOT_CACHED = {"Cache-Control": "no-store"}


def answer(app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Answer in front of the application, so that no rule about hosts or HTTPS applies."""

    @Request.application
    def alive(_request: Request) -> Response:
        """Answer 200 as long as the process lives."""
        return Response("ok\n", headers=NOT_CACHED)

    @Request.application
    def ready(_request: Request) -> Response:
        """Answer 200 if database and media storage can be used, else 503, and say which cannot."""
        with app.app_context():
            outcomes = probes.run("database", "media")
        for outcome in outcomes:
            if not outcome.ok:
                app.logger.error("Not ready, %s: %s", outcome.name, outcome.detail)
        lines = [f"{outcome.name}: {'ok' if outcome.ok else 'failed'}\n" for outcome in outcomes]
        status = 200 if all(outcome.ok for outcome in outcomes) else 503
        return Response("".join(lines), status, headers=NOT_CACHED)

    return DispatcherMiddleware(application, {"/healthz": alive, "/readyz": ready})
