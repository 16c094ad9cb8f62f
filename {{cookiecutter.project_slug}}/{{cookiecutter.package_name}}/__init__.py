"""{{ cookiecutter.description.replace("\\", "\\\\").replace('"', '\\"') }}"""

import os
from collections.abc import Mapping

from flask import Flask

from . import (
    cli,
    config,
    database,
    errors,
    health,
    logs,
    media,
    pages,
    security,
    static_files,
)


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """Make the application from environment variables, which README.md lists.

    Raises config.ConfigError, which ends the process with a message, where they are not usable.
    """
    app = Flask(__name__)
    app.config.from_mapping(config.load(environ))
    logs.init_app(app)
    errors.init_app(app)
    database.init_app(app)
    media.init_app(app)
    app.register_blueprint(pages.blueprint)
    app.cli.add_command(cli.check)

    # Each of these wraps what is there already: the last one sees a request first.
    security.init_app(app)
    static_files.init_app(app)
    health.init_app(app)
    return app
