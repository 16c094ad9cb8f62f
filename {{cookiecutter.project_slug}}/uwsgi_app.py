"""What uWSGI serves: the application, with limits for requests."""

{% set found = cookiecutter.found.split() %}
{% set migrates = 'migrations-in-factory' in found %}
{% if cookiecutter.application == 'new' %}
import gc
{% else %}
import os
import re
{% endif %}
import signal

{% if 'eventlet' in found %}
import eventlet
{% endif %}
{% if 'gevent' in found %}
import gevent.monkey
{% endif %}
import uwsgi
from uwsgidecorators import postfork

{% if migrates %}
import migration_lock
{% endif %}
import request_limits
{% if cookiecutter.application == 'new' %}
from {{ cookiecutter.package_name }} import create_app

application = request_limits.guard(create_app())
# The garbage collectors of the workers would write to all that these share, and so copy it.
gc.freeze()
{% else %}

problems = []
most_of = {"PORT": 65535, "REQUEST_TIMEOUT": 3600, "WEB_CONCURRENCY": 100, "WEB_THREADS": 100}
for name, most in most_of.items():
    value = os.environ.get(name, "").strip() or "1"
    if not re.fullmatch("[0-9]{1,5}", value) or not 1 <= int(value) <= most:
        problems.append(f"{name}: must be a whole number from 1 to {most}.")
if problems:
    raise SystemExit("\n- ".join(["The environment variables are not usable:", *problems]))

{% if 'eventlet' in found or 'gevent' in found %}
# The locks that it puts in place would make uWSGI's threads wait for ever.
{% if 'eventlet' in found %}
eventlet.monkey_patch = lambda *_arguments, **_named: None
{% endif %}
{% if 'gevent' in found %}
gevent.monkey.patch_all = lambda *_arguments, **_named: None
{% endif %}
{% endif %}
{% if migrates %}
with migration_lock.hold():
    import {{ cookiecutter.wsgi_app.split(':')[0] }}

    application = request_limits.guard({{ cookiecutter.wsgi_app.replace(':', '.') }})
{% else %}
import {{ cookiecutter.wsgi_app.split(':')[0] }}

application = request_limits.guard({{ cookiecutter.wsgi_app.replace(':', '.') }})
{% endif %}
{% endif %}
uwsgi.after_req_hook = request_limits.end


@postfork
def watch() -> None:
    request_limits.watch(signal.SIGHUP)
