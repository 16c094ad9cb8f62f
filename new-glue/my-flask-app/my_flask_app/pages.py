"""The pages of the site. `/` is also what Divio asks for before it sends visitors here."""

from flask import Blueprint, current_app, render_template

from . import probes

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def welcome() -> str:
    outcomes = []
    if current_app.config["DEVELOPMENT"]:
        outcomes = probes.run("database", "migrations", "media", "static files")
    return render_template("welcome.html", outcomes=outcomes)


@blueprint.get("/hello")
def hello() -> str:
    return "Hello, World!"
