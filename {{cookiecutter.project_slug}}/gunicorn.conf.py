"""How gunicorn runs the application. A blank variable counts as unset."""

{% if cookiecutter.application == 'new' %}
import gc
{% endif %}
import os
import pwd
import re

from gunicorn.workers import gthread


def env(name: str) -> str:
    return os.environ.get(name, "").strip()


{% if cookiecutter.application == 'new' %}
def number(name: str, default: int) -> int:
    # The application refuses what is no such number, and tells why.
    return int(env(name)) if re.fullmatch("[0-9]{1,5}", env(name)) else default
{% else %}
problems = []


def number(name: str, default: int, most: int) -> int:
    value = env(name) or str(default)
    if re.fullmatch("[0-9]{1,5}", value) and 1 <= int(value) <= most:
        return int(value)
    problems.append(f"{name}: must be a whole number from 1 to {most}.")
    return default
{% endif %}


# The command of the image keeps it from gunicorn under another name.
if given := os.environ.pop("GIVEN_WEB_CONCURRENCY", "").strip():
    os.environ["WEB_CONCURRENCY"] = given

wsgi_app = "{{ cookiecutter.wsgi_app }}"
bind = f"0.0.0.0:{number('PORT', 80{{ ", 65535" if cookiecutter.application == "existing" }})}"
loglevel = env("LOG_LEVEL").lower() or "info"
control_socket_disable = True  # It would need a home folder to write to.

# Threads, because connections that a load balancer opens ahead would block sync workers. A new
# one may occupy a thread only briefly before it waits aside; gunicorn's own value is 5 seconds.
worker_class = "gthread"
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.1
workers = number("WEB_CONCURRENCY", 2{{ ", 100" if cookiecutter.application == "existing" }})
threads = number("WEB_THREADS", 4{{ ", 100" if cookiecutter.application == "existing" }})
{% if cookiecutter.application == 'existing' %}
if problems:
    raise SystemExit("\n- ".join(["The environment variables are not usable:", *problems]))
{% endif %}

# Seconds. Divio's load balancer waits for 30: https://docs.divio.com/reference/checks-timeouts/
# This one replaces a worker that hangs as a whole; no setting ends a single slow request.
timeout = 25
graceful_timeout = 8  # Docker kills ten seconds after it asked to stop.

# Against leaks of memory, and not in all workers at once.
max_requests = 10000
max_requests_jitter = 1000

{% if cookiecutter.application == 'new' %}
# Whose X-Forwarded-* are believed, PROXY_HOPS tells the application.
forwarded_allow_ips = ""

preload_app = True  # Workers share its memory, and unusable settings stop the start.
{% else %}
# Whose X-Forwarded-* are believed, ProxyFix tells: see DEPLOY.md.
forwarded_allow_ips = ""

# Every request but its query, which may hold secrets.
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(M)s ms"
{% endif %}

if os.geteuid() == 0:
    # Only binding a port below 1024 needed root.
    user = group = "www-data"
    os.environ["HOME"] = pwd.getpwnam(user).pw_dir  # libpq looks there, and may not into root's

    def post_fork(_server: object, _worker: object) -> None:
        os.setgroups([])  # gunicorn leaves root's
{% if cookiecutter.application == 'new' %}


def when_ready(_server: object) -> None:
    # The garbage collectors of the workers would write to all that these share, and so copy it.
    gc.freeze()
{% endif %}
