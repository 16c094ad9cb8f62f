"""gunicorn's worker with threads, where requests that wait hold up no others."""

{% set found = cookiecutter.found.split() %}
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any

{% if 'eventlet' in found and 'flask-socketio' not in found %}
import eventlet
{% endif %}
{% if 'gevent' in found and 'flask-socketio' not in found %}
import gevent.monkey
{% endif %}
{% if cookiecutter.application == 'existing' %}
from gunicorn.errors import AppImportError
{% endif %}
from gunicorn.workers import gthread

{% if 'migrations-in-factory' in found %}
import migration_lock
{% endif %}
import request_limits
{% if 'flask-socketio' in found %}
import socketio_threads
{% endif %}

# Seconds that a thread waits for the first byte of a connection, before it leaves that to the
# worker's poller. gunicorn's 5 would let connections that say nothing occupy all threads.
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.02

# And seconds that the worker's main thread waits for a client to close its end: 2 for each would
# let some dozens of clients stop it.
gthread.util.close_graceful = partial(gthread.util.close_graceful, timeout=0.02)

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
{% if cookiecutter.application == 'new' %}
        super().load_wsgi()
{% else %}
{% if 'flask-socketio' in found %}
        socketio_threads.use()
{% elif 'eventlet' in found or 'gevent' in found %}
        # The locks that it puts in place would make the threads wait for ever.
{% if 'eventlet' in found %}
        eventlet.monkey_patch = lambda *_arguments, **_named: None
{% endif %}
{% if 'gevent' in found %}
        gevent.monkey.patch_all = lambda *_arguments, **_named: None
{% endif %}
{% endif %}
        try:
{% if 'migrations-in-factory' in found %}
            with migration_lock.hold():
                super().load_wsgi()
{% else %}
            super().load_wsgi()
{% endif %}
        except SystemExit as error:
            # With the status of that, gunicorn would start workers for ever.
            raise AppImportError(error) from error
{% endif %}
        self.wsgi = request_limits.guard(self.wsgi)
        # Not before, because a signal that stops a worker at its start would be lost meanwhile.
        self.tpool.start()
        request_limits.watch(signal.SIGTERM)

    def handle_request(self, req: object, conn: object) -> object:
        try:
            return super().handle_request(req, conn)
        except Exception:
            raise
        except BaseException as error:
            # Such as SystemExit. It would end the worker, and with status 3 the whole server.
            raise RuntimeError(repr(error)) from error
        finally:
            request_limits.end()
{% if cookiecutter.application == 'existing' %}

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:  # noqa: ANN401
        if conn.sock.fileno() < 0:
            # A WebSocket that its library has closed. gunicorn would fail, and count it twice.
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)
{% endif %}


class Threads(Executor):
    """Threads of which few work at once: one whose call is not quick passes its turn on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self.turns = threading.Semaphore(AT_ONCE)
        # When each thread that has a turn began its call.
        self.began: dict[int, float] = {}

    def start(self) -> None:
        # Daemons, so that one that hangs keeps no process from ending.
        for target in [self.pass_turns_on] + self.number * [self.work]:
            threading.Thread(target=target, daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *arguments: object) -> Future[Any]:
        future: Future[Any] = Future()
        self.calls.put((future, partial(function, *arguments)))
        return future

    def work(self) -> None:
        thread = threading.get_ident()
        self.turns.acquire()
        while True:
            future, call = self.calls.get()
            self.began[thread] = time.monotonic()
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001
                future.set_exception(error)
            # What pass_turns_on removed has lost its turn.
            if self.began.pop(thread, None) is None:
                self.turns.acquire()

    def pass_turns_on(self) -> None:
        while True:
            time.sleep(QUICK_SECONDS)
            for thread, began in list(self.began.items()):
                is_slow = time.monotonic() - began >= QUICK_SECONDS
                if is_slow and self.began.pop(thread, None) is not None:
                    self.turns.release()
