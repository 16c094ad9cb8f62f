"""Who may see the site: with BASIC_AUTH only who knows the password, and no search engines."""

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
OPEN_PATHS = {"/healthz", "/readyz"}

CHALLENGE = {
    "WWW-Authenticate": 'Basic realm="Not public", charset="UTF-8"',
    "Cache-Control": "no-store",
}


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
    """Answer requests that have the credentials, and let no cache give the answers to others.

    redirect: answers what has to go to HTTPS or to another domain, before there is a password
    """
    private = wsgi.before_headers(application, keep_private)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in OPEN_PATHS:
            return application(environ, start_response)
        if moved := redirect(Request(environ)):
            return moved(environ, start_response)
        scheme, _, sent = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() == "basic" and hmac.compare_digest(sent.strip().encode(), expected):
            return private(environ, start_response)
        return Response("This site is not public.\n", 401, CHALLENGE)(environ, start_response)

    return answer


def keep_private(_environ: WSGIEnvironment, _status: str, headers: wsgi.Headers) -> None:
    """Have browsers ask each time before they show what they keep, and others keep nothing."""
    fields = Headers(headers)
    if "no-store" not in (fields["Cache-Control"] or ""):
        fields["Cache-Control"] = "private, no-cache"


def noindex(application: WSGIApplication) -> WSGIApplication:
    """Have search engines leave out all responses."""

    def add(_environ: WSGIEnvironment, _status: str, headers: wsgi.Headers) -> None:
        headers.append(("X-Robots-Tag", "noindex"))

    return wsgi.before_headers(application, add)
