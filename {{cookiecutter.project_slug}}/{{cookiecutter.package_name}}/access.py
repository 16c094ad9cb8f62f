"""Who may see a site: with BASIC_AUTH only who knows the password."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterable
from wsgiref.headers import Headers
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Request
from werkzeug import Response

from . import wsgi

# Divio itself asks for /, and is content with 401, as with any status below 500:
# https://docs.divio.com/background/build-process/
OPEN = {"/healthz", "/readyz"}
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Not public", charset="UTF-8"'}


def credentials(text: str) -> bytes:
    """Return what browsers send for user:password. Raises ValueError, which shows no part of it."""
    user, _, password = text.partition(":")
    if not user or not password or not text.isprintable():
        message = "must be user:password."
        raise ValueError(message)
    return b64encode(text.encode())


def basic_auth(
    application: WSGIApplication, expected: bytes, redirect: Callable[[Request], Response | None]
) -> WSGIApplication:
    """Answer only who has the credentials, and only what `redirect` does not answer before."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in OPEN:
            return application(environ, start_response)
        if redirection := redirect(Request(environ)):
            return redirection(environ, start_response)
        scheme, _, sent = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "basic" and hmac.compare_digest(sent.strip().encode(), expected):
            return application(environ, start_response)
        return Response("This site is not public.\n", 401, CHALLENGE)(environ, start_response)

    # No cache may give to others what it got with the password.
    return with_header(answer, "Cache-Control", "no-store")


def with_header(application: WSGIApplication, name: str, value: str) -> WSGIApplication:
    """Give all responses the header, whatever they say of it."""

    def change(_environ: WSGIEnvironment, _status: str, headers: wsgi.Headers) -> None:
        Headers(headers)[name] = value

    return wsgi.before_headers(application, change)
