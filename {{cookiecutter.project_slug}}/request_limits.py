"""Limits to requests, which gateway servers lack.

A body that arrives too slowly is answered 408, one that ends early or is malformed 400. A request
that takes too long is logged, with where it is in the code, and its worker is replaced.
"""

import faulthandler
import fcntl
import io
import logging
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

{% if cookiecutter.gateway_server == 'uwsgi' %}
import uwsgi
{% endif %}
from werkzeug import exceptions

# How long an answer may take. Divio's load balancer waits for 30:
# https://docs.divio.com/reference/checks-timeouts/
given = os.environ.get("REQUEST_TIMEOUT", "").strip()
REQUEST_SECONDS = int(given) if given.isdecimal() else 20

# How long a body may take, and how many bytes earn it another second, as in Apache's
# https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html
BODY_SECONDS = 20
BODY_BYTES = 500
PIECE = 8192

# How long a worker may stand still as a whole.
HANG_SECONDS = 20

# How long a worker that is replaced may take for its other requests.
GRACE_SECONDS = 8

{% if cookiecutter.application == 'existing' and cookiecutter.database == 'postgres' %}
# Drivers that use libpq follow these, and release commands do not see them: a query that takes
# longer, as for a lock, ends before its request does.
os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
os.environ.setdefault("PGOPTIONS", "-c statement_timeout=15s")

{% endif %}
logger = logging.getLogger(__name__)


class Request:
    """A request that a thread works on, until all of the answer is sent."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        self.since = time.monotonic()  # when it, or the last piece of its body, arrived
        self.body: Body | None = None
        self.is_answered = False
        self.is_logged = False

    def is_late(self) -> bool:
        """Return whether the application, not the client, takes too long."""
        if self.is_answered or (self.body and self.body.waiting_since):
            return False
        return time.monotonic() - self.since > REQUEST_SECONDS


class Body(io.RawIOBase):
    """The body of a request, in pieces whose arrival can be watched."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.input = request.environ["wsgi.input"]
{% if cookiecutter.gateway_server == 'uwsgi' %}
        self.connection = uwsgi.connection_fd()
{% else %}
        self.connection = request.environ["gunicorn.socket"].fileno()
{% endif %}
        self.received = 0
        self.waited = 0.0  # seconds, before the current wait
        self.waiting_since: float | None = None
        self.lock = threading.Lock()
        self.is_slow = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
{% if cookiecutter.gateway_server == 'uwsgi' %}
        if "HTTP_TRANSFER_ENCODING" in self.request.environ:
            raise exceptions.LengthRequired  # uWSGI would give an empty body.
{% endif %}
        self.waiting_since = time.monotonic()
        try:
            piece = self.input.read(min(len(buffer), PIECE))
        except Exception as error:
            raise (exceptions.RequestTimeout if self.is_slow else exceptions.BadRequest) from error
        finally:
            with self.lock:
                self.request.since = time.monotonic()
                self.waited += self.request.since - self.waiting_since
                self.waiting_since = None
        if self.is_slow:
            raise exceptions.RequestTimeout
        self.received += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def end_if_slow(self) -> None:
        """End the read that waits, if the client has had its time."""
        with self.lock:
            if self.waiting_since is None:
                return
            waited = self.waited + time.monotonic() - self.waiting_since
            if waited > BODY_SECONDS + self.received / BODY_BYTES:
                self.is_slow = True
                with socket.socket(fileno=os.dup(self.connection)) as connection:
                    connection.shutdown(socket.SHUT_RD)


under_way: dict[int, Request] = {}  # by the thread

{% set holds_open = cookiecutter.application == 'existing' and cookiecutter.gateway_server == 'gunicorn' %}
{% if holds_open %}

def holds_open(environ: WSGIEnvironment) -> bool:
    """Return whether it is a WebSocket, or the waiting of Socket.IO, which last on purpose."""
    if "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH"):
        return False
    is_websocket = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
    return is_websocket or "EIO=" in environ.get("QUERY_STRING", "")

{% endif %}

def guard(application: WSGIApplication) -> WSGIApplication:
    """Wrap an application, so that its requests can be watched. Each ends with a call of `end`."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
{% if holds_open %}
        if holds_open(environ):
            return application(environ, start_response)
{% endif %}
        request = under_way[threading.get_ident()] = Request(environ)
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if is_chunked or environ.get("CONTENT_LENGTH"):
            request.body = Body(request)
            environ["wsgi.input"] = io.BufferedReader(request.body, PIECE)
            if is_chunked:
                environ["wsgi.input_terminated"] = True
            else:
                # Werkzeug would take an early end for the end of the body.
                environ.pop("wsgi.input_terminated", None)
        try:
            return application(environ, start_response)
{% if cookiecutter.gateway_server == 'gunicorn' %}
        except OSError as error:
            # gunicorn would take it for an error of the client's connection, and not answer.
            raise RuntimeError(repr(error)) from error
{% endif %}
        finally:
            request.is_answered = True

    return guarded


def end() -> None:
    """Note that this thread has sent its answer."""
    under_way.pop(threading.get_ident(), None)


def watch(stop: int) -> None:
    """Have a thread watch the requests of this worker.

    stop: the signal that has it accept no more of them, and end after those under way
    """
    threading.Thread(target=replace_when_late, args=[stop], daemon=True).start()


def replace_when_late(stop: int) -> None:
    while not late_requests():
        # As long as code in C, such as a regular expression, lets no other thread run, nor does
        # this one. Then the process ends, and the log tells where it was.
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        time.sleep(1)
        for request in list(under_way.values()):
            if request.body:
                request.body.end_if_slow()
    # One worker after the other, so that there is one that accepts requests.
    with Path(__file__).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.kill(os.getpid(), stop)
        for _ in range(GRACE_SECONDS):
            time.sleep(1)
            if len(under_way) == late_requests():
                break
        os._exit(0)


def late_requests() -> int:
    """Return how many requests are late. Logs each once."""
    late = [(thread, request) for thread, request in list(under_way.items()) if request.is_late()]
    for thread, request in late:
        if not request.is_logged:
            request.is_logged = True
            log(thread, request)
    return len(late)


def log(thread: int, request: Request) -> None:
    method, path = request.environ["REQUEST_METHOD"], request.environ["PATH_INFO"]
    frame = sys._current_frames().get(thread)  # noqa: SLF001
    logger.error(
        "%s %s takes longer than %d s, so its worker is replaced. It is here:\n%s",
        method,
        quote(path, encoding="latin-1"),
        REQUEST_SECONDS,
        "".join(traceback.format_stack(frame)),
    )
