"""What uWSGI serves: the application, with limits for requests."""

{% if cookiecutter.application == 'new' %}
import gc
{% endif %}
import signal

import uwsgi
from uwsgidecorators import postfork

import request_limits
{% if cookiecutter.application == 'new' %}
from {{ cookiecutter.package_name }} import create_app

application = request_limits.guard(create_app())
# The garbage collectors of the workers would write to all that these share, and so copy it.
gc.freeze()
{% else %}
import {{ cookiecutter.wsgi_app.split(':')[0] }}

application = request_limits.guard({{ cookiecutter.wsgi_app.replace(':', '.') }})
{% endif %}
uwsgi.after_req_hook = request_limits.end


@postfork
def watch() -> None:
    request_limits.watch(signal.SIGHUP)
