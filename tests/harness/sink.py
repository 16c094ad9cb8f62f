"""A server that keeps what it is sent by HTTP, and may take its time to answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Sink:
    """What was sent to the address: paths and bodies, which come before the answer."""

    address: str
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)


@contextmanager
def sink() -> Iterator[Sink]:
    """Have a sink, which answers 200 as long as its event `answers` is set, as it is at first."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.bodies.append((self.path, body))
            kept.answers.wait()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept = Sink(f"127.0.0.1:{server.server_port}")
        kept.answers.set()
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield kept
        kept.answers.set()
        server.shutdown()
