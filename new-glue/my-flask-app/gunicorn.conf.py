"""How gunicorn runs the application. A blank variable counts as unset."""

import gc
import logging
import os
import pwd
import re


def env(name: str) -> str:
    return os.environ.get(name, "").strip()


def number(name: str, default: int, most: int) -> int:
    value = env(name) or str(default)
    if re.fullmatch("[0-9]{1,5}", value) and 1 <= int(value) <= most:
        return int(value)
    # The application refuses it, and tells why.
    return default


# The command of the image keeps it from gunicorn under another name.
if given := os.environ.pop("GIVEN_WEB_CONCURRENCY", "").strip():
    os.environ["WEB_CONCURRENCY"] = given

wsgi_app = "my_flask_app:create_app()"
bind = f"0.0.0.0:{number('PORT', 80, 65535)}"
loglevel = env("LOG_LEVEL").lower() or "info"
control_socket_disable = True  # It would need a home folder to write to.

# With threads, because connections that a load balancer opens ahead would block sync workers.
worker_class = "gunicorn_worker.Worker"
workers = number("WEB_CONCURRENCY", 2, 100)
threads = number("WEB_THREADS", 64, 100)  # Most wait: gunicorn_worker.py has few run at once.
worker_tmp_dir = "/dev/shm"  # noqa: S108, writable where all else is read-only

# Seconds. The first replaces a worker that hangs as a whole, request_limits.py one with a request
# that does. Docker kills ten seconds after it asked to stop.
timeout = 25
graceful_timeout = 8

# Against leaks of memory, and not in all workers at once.
max_requests = 10000
max_requests_jitter = 1000


def leave_out_content(record: logging.LogRecord) -> bool:
    """Leave out what a visitor sent, which may hold secrets, from gunicorn's own messages."""
    message = record.getMessage()
    if message.startswith(("Invalid request", "Error handling request", "Ignored premature")):
        record.msg, record.args = re.split(r"[?'\"]", message, maxsplit=1)[0], ()
    return True


logging.getLogger("gunicorn.error").addFilter(leave_out_content)

# Whose X-Forwarded-* are believed, PROXY_HOPS tells the application.
forwarded_allow_ips = ""

preload_app = True  # Workers share its memory, and unusable settings stop the start.

if os.geteuid() == 0:
    # Only binding a port below 1024 needed root.
    user = group = "www-data"
    os.environ["HOME"] = pwd.getpwnam(user).pw_dir  # libpq looks there, and may not into root's

    def post_fork(_server: object, _worker: object) -> None:
        os.setgroups([])  # gunicorn leaves root's


def when_ready(_server: object) -> None:
    # The garbage collectors of the workers would write to all that these share, and so copy it.
    gc.freeze()
