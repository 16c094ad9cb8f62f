"""The pages of the site. `/` is also what Divio asks for before it sends visitors here."""

from flask import Blueprint, current_app, render_template

from . import checks

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def welcome() -> str:
    found = None
    if current_app.config["DEVELOPMENT"]:
        found = [
            checks.check("Database", checks.database),
            checks.check("Migrations", checks.migrations),
            checks.check("Media storage", checks.media_storage),
            checks.check("Static files", checks.static_files),
        ]
    return render_template("welcome.html", checks=found)


@blueprint.get("/hello")
def hello() -> str:
    return "Hello, World!"
