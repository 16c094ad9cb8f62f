"""gunicorn's worker with threads, where requests that wait hold up no others."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from gunicorn import util
from gunicorn.workers import gthread

import request_limits

# A new connection may occupy a thread only briefly before it waits aside. 5 seconds by default.
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.1

# More threads that run at once cost a fifth of the requests per second, because Python switches
# between them at each of their system calls.
AT_ONCE = 4

# A request that takes longer waits for something, such as its client or the database.
QUICK_SECONDS = 0.05


class Worker(gthread.ThreadWorker):
    """gunicorn's worker with limits for requests, and with threads that take turns."""

    def get_thread_pool(self) -> "Threads":
        return Threads(self.cfg.threads)

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi = request_limits.guard(self.wsgi)
        # Not before, because a signal that stops a worker at its start would be lost meanwhile.
        self.tpool.start()
        request_limits.watch(signal.SIGTERM)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401
        is_kept = super().handle(conn)
        if not is_kept:
            # Here, because the main thread would wait, too, until the client closes its end.
            with suppress(OSError):
                util.close_graceful(conn.sock.dup())
                conn.sock.shutdown(socket.SHUT_RD)
        return is_kept

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401
        try:
            return super().handle_request(req, conn)
        except Exception:
            raise
        except BaseException as error:
            # Such as SystemExit. It would end the worker, and with status 3 the whole server.
            raise RuntimeError(repr(error)) from error
        finally:
            request_limits.end()


class Threads(Executor):
    """Threads of which few work at once; one whose work is not quick passes its turn on."""

    def __init__(self, number: int) -> None:
        self.calls: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]]
        self.calls = SimpleQueue()
        self.turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(min(number, AT_ONCE)):
            self.turns.put(None)
        # When each thread began the call it works on, as long as it has its turn.
        self.began: dict[int, float] = {}
        self.number = number

    def start(self) -> None:
        # Daemons, so that one that hangs keeps no process from ending.
        for target in [self.pass_turns_on] + self.number * [self.work]:
            threading.Thread(target=target, daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:  # noqa: ANN401
        future: Future[Any] = Future()
        self.calls.put((future, function, arguments))
        return future

    def work(self) -> None:
        thread = threading.get_ident()
        self.turns.get()
        while True:
            future, function, arguments = self.calls.get()
            self.began[thread] = time.monotonic()
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001
                future.set_exception(error)
            # It has its turn no more if pass_turns_on removed this.
            if self.began.pop(thread, None) is None:
                self.turns.get()

    def pass_turns_on(self) -> None:
        while True:
            time.sleep(QUICK_SECONDS)
            for thread, began in list(self.began.items()):
                is_quick = time.monotonic() - began < QUICK_SECONDS
                if not is_quick and self.began.pop(thread, None) is not None:
                    self.turns.put(None)
