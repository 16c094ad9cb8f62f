"""Health for monitors and load balancers: /healthz and /readyz.

Divio itself asks for /, and has no path to configure.
https://docs.divio.com/background/build-process/
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from werkzeug import Request, Response

from . import probes

NOT_CACHED = {"Cache-Control": "no-store"}


def answer(app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Answer in front of the application, so that no rule about hosts or HTTPS applies."""

    @Request.application
    def alive(_request: Request) -> Response:
        """Answer 200 as long as the process lives."""
        return Response("ok\n", headers=NOT_CACHED)

    failing: set[str] = set()

    @Request.application
    def ready(_request: Request) -> Response:
        """Answer 200 if database and media storage can be used, else 503, and say which cannot."""
        with app.app_context():
            outcomes = probes.run("database", "media")
        for outcome in outcomes:
            if outcome.ok:
                failing.discard(outcome.name)
            elif outcome.name not in failing:  # Once, because monitors ask every few seconds.
                failing.add(outcome.name)
                app.logger.error("Not ready, %s: %s", outcome.name, outcome.detail)
        lines = [f"{outcome.name}: {'ok' if outcome.ok else 'failed'}\n" for outcome in outcomes]
        status = 200 if all(outcome.ok for outcome in outcomes) else 503
        return Response("".join(lines), status, headers=NOT_CACHED)

    answers = {"/healthz": alive, "/readyz": ready}

    def route(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return answers.get(environ["PATH_INFO"], application)(environ, start_response)

    return route
