"""Visitors and databases in trouble, and what comes of requests meanwhile."""

import http.client
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from tests.harness import edge
from tests.harness.databases import connect

# Seconds that a client waits for an answer, a little longer than Divio's load balancer.
PATIENCE = 35


@dataclass(frozen=True)
class Answer:
    """What came of a request: status 0 and what cut it off, where it got no answer."""

    path: str
    status: int
    seconds: float
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{self.path}: {self.status or self.text} after {self.seconds:.1f} s"


def table(answers: list[Answer]) -> str:
    """Tell how often what came of which request, and how long it took."""
    rows: dict[tuple[str, int | str], list[float]] = {}
    for answer in answers:
        rows.setdefault((answer.path, answer.status or answer.text), []).append(answer.seconds)
    return "\n".join(
        f"{path}: {len(taken)} x {outcome} after {min(taken):.1f} to {max(taken):.1f} s"
        for (path, outcome), taken in rows.items()
    )


def ask(url: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    begun = time.monotonic()
    try:
        method = "GET" if body is None else "POST"
        response = edge.ask(method, url + path, headers, data=body)
    except requests.RequestException as error:
        return Answer(path, 0, time.monotonic() - begun, type(error).__name__)
    spent = time.monotonic() - begun
    return Answer(path, response.status_code, spent, response.text, dict(response.headers))


def at_once(count: int, call: Callable[[], Answer]) -> list[Future[Answer]]:
    """Begin a call so many times, each in a thread of its own."""
    pool = ThreadPoolExecutor(count)
    begun = [pool.submit(call) for _ in range(count)]
    pool.shutdown(wait=False)
    return begun


def results(begun: list[Future[Answer]]) -> list[Answer]:
    return [future.result() for future in begun]


@contextmanager
def asking(url: str, *paths: str) -> Iterator[list[Answer]]:
    """Ask for each path again and again; what comes of it goes into the list, in its order."""
    answers: list[Answer] = []
    stop = threading.Event()

    def ask_on(path: str) -> None:
        while not stop.wait(0.1):
            answers.append(ask(url, path))

    with ThreadPoolExecutor(len(paths)) as pool:
        asked = [pool.submit(ask_on, path) for path in paths]
        try:
            yield answers
        finally:
            stop.set()
        results(asked)


def ask_steadily(seconds: float, each_second: int, *calls: Callable[[], Answer]) -> list[Answer]:
    """Make these calls in turn, at a rate that does not depend on how long they take."""
    count = int(seconds * each_second)
    begun = []
    started = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        for number in range(count):
            time.sleep(max(0, started + number / each_second - time.monotonic()))
            begun.append(pool.submit(calls[number % len(calls)]))
    return results(begun)


def connection_to(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), PATIENCE)


def head(method: str, path: str, *fields: str) -> bytes:
    """Return what the edge sends in front of a body."""
    forwarded = [f"{name}: {value}" for name, value in edge.FORWARDED.items()]
    lines = [f"{method} {path} HTTP/1.1", *forwarded, *fields, "Connection: close", "\r\n"]
    return "\r\n".join(lines).encode()


def upload(
    url: str,
    path: str,
    pieces: Iterable[bytes] = (),
    *,
    length: int | None = None,
    pause: float = 0,
    end: Callable[[socket.socket], None] = lambda _: None,
) -> Answer:
    """Announce a body, send pieces of one until there is an answer, and wait for that.

    length: in bytes, as announced; None for chunks, which the pieces then are
    pause: seconds after each piece
    end: what to do with the connection after the last one
    """
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    begun = time.monotonic()
    with connection_to(url) as connection:
        try:
            connection.sendall(head("POST", path, framing))
            for piece in pieces:
                connection.sendall(piece)
                if select.select([connection], [], [], pause)[0]:
                    break
            end(connection)
        except OSError:
            pass  # There may be an answer nevertheless.
        try:
            connection.settimeout(max(1, begun + PATIENCE - time.monotonic()))
            with http.client.HTTPResponse(connection, method="POST") as response:
                response.begin()
                status, text = response.status, response.read().decode()
                return Answer(path, status, time.monotonic() - begun, text, dict(response.headers))
        except (OSError, http.client.HTTPException) as error:
            return Answer(path, 0, time.monotonic() - begun, type(error).__name__)


@contextmanager
def left_open(count: int, url: str, path: str) -> Iterator[None]:
    """Get answers that end their connections, and do not close these."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connection_to(url)) for _ in range(count)]
        for connection in connections:
            connection.sendall(head("GET", path))
        for connection in connections:
            assert connection.recv(1), f"no answer to {path}"
        yield


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


@contextmanager
def locked_rows(url: str, table: str) -> Iterator[None]:
    """Hold a lock on all rows of a table."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT * FROM {table} FOR UPDATE")
        assert cursor.fetchall(), f"{table} has no row to lock"
        yield


def sleeping(url: str) -> int:
    """Return how many statements that sleep a server has under way."""
    if url.startswith("postgres"):
        statements = "SELECT query FROM pg_stat_activity WHERE state = 'active'"
    else:
        statements = "SELECT info FROM information_schema.processlist"
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statements)
        return sum("SLEEP(" in (statement or "").upper() for (statement,) in cursor.fetchall())
