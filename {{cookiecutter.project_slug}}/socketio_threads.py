"""Has Flask-SocketIO use threads, which gunicorn_worker.py serves, whatever it is told to use."""

{% set found = cookiecutter.found.split() %}
{% if 'eventlet' in found %}
import sys
{% endif %}
{% if 'eventlet' in found or 'gevent' in found %}
import threading
import time
{% endif %}
{% if 'eventlet' in found %}
import types
{% endif %}
{% if 'eventlet' in found or 'gevent' in found %}
from collections.abc import Callable
from typing import Any

{% endif %}
import engineio


def use() -> None:
    """Have all that makes a server of Socket.IO from now on make it with threads."""
    make = engineio.Server.__init__

    def make_with_threads(server: object, *arguments: object, **options: object) -> None:
        make(server, *arguments, **options | {"async_mode": "threading"})

    engineio.Server.__init__ = make_with_threads
{% if 'eventlet' in found %}
    try:
        import eventlet
    except ImportError:  # Those before 0.34 do not know this Python.
        eventlet = sys.modules["eventlet"] = types.ModuleType("eventlet")
    eventlet.monkey_patch = lambda *_arguments, **_named: None
    eventlet.sleep = time.sleep
    eventlet.spawn = eventlet.spawn_n = start_thread
{% endif %}
{% if 'gevent' in found %}
    import gevent.monkey

    gevent.monkey.patch_all = lambda *_arguments, **_named: None
    gevent.sleep = time.sleep
    gevent.spawn = start_thread
{% endif %}
{% if 'eventlet' in found or 'gevent' in found %}


def start_thread(function: Callable[..., Any], *arguments: Any, **named: Any) -> threading.Thread:  # noqa: ANN401
    thread = threading.Thread(target=function, args=arguments, kwargs=named, daemon=True)
    thread.start()
    return thread
{% endif %}
