"""A server that keeps what it is sent by HTTP, and may take its time to answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.harness.http_server import Handler, serve


@dataclass
class Sink:
    """What was sent to the address: paths and bodies, which come before the answer."""

    address: str
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)


@contextmanager
def sink() -> Iterator[Sink]:
    """Have a sink, which answers 200 as long as its event `answers` is set, as it is at first."""

    class Keeper(Handler):
        def answer(self) -> None:
            kept.bodies.append((self.path, self.body()))
            kept.answers.wait()
            self.send_response(200)
            self.end_headers()

    with serve(Keeper) as url:
        kept = Sink(url.removeprefix("http://"))
        kept.answers.set()
        yield kept
        kept.answers.set()
