{% if cookiecutter.application == 'existing' %}
{% include 'on_divio.py' %}
{% else %}
"""The application, which create_app makes."""

import os
from collections.abc import Mapping

import click
from flask import Flask

from . import (
    cli,
    config,
    database,
    database_limits,
    errors,
    features,
    health,
    logs,
    media,
    security,
    static_files,
    urls,
    wsgi,
)


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """Make the application from environment variables, which README.md lists.

    Raises environment.ConfigError, which ends the process with a message, where they are not
    usable.
    """
    app = Flask(__name__)
    app.config.from_mapping(config.load(environ))
    logs.init_app(app)
    errors.init_app(app)
    database.init_app(app)
    media.init_app(app)
    app.add_template_global(urls.main_url_for)
    app.cli.add_command(cli.check)
    if click.get_current_context(silent=True):
        # Not in a server, where nothing needs Alembic, which is slow to import.
        database.add_commands(app)
    else:
        # Not in a command, such as a migration, which may take long.
        database_limits.init_app(app)

    # The way of a request from the server to its view, in this order. On the way back the response
    # is logged first, then gets its headers.
    wsgi.surround(
        app,
        security.limit_access,
        static_files.serve,  # A static file goes no further,
        health.answer,  # nor do /healthz and /readyz, whatever their host and scheme.
        security.trust_proxies,
        security.add_headers,
        logs.log_requests,
    )
    app.session_interface = security.SessionInterface()
{% if cookiecutter.gateway_server == 'gunicorn' %}
    app.request_class = security.LimitedRequest
{% else %}
    app.before_request(security.refuse_raw_query)
{% endif %}
    app.before_request(security.redirect_to_main_url)
    security.csrf.init_app(app)
    for blueprint in features.named("blueprint"):
        app.register_blueprint(blueprint)
    return app
{% endif %}
