"""An application that has to be installed to be imported."""

from flask import Flask


def create_app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "A package.")
    return app
