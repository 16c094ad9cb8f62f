"""An application that setuptools finds by itself."""

from flask import Flask


def create_app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "A package.")
    return app
