"""A diary on peewee, which takes the URL of its database without SQLAlchemy's driver."""

from __future__ import annotations

import os

from flask import Flask, redirect, request
from peewee import CharField, DatabaseProxy, Model
from playhouse.db_url import connect

database = DatabaseProxy()


class Day(Model):
    text = CharField(200)

    class Meta:
        database = database


def make_app() -> Flask:
    app = Flask(__name__)
    database.initialize(connect(os.getenv("DATABASE_URL", "sqlite:///:memory:")))

    @app.before_request
    def open_connection():
        database.connect(reuse_if_open=True)

    @app.teardown_request
    def close_connection(error):
        if not app.testing and not database.is_closed():
            database.close()

    @app.get("/")
    def days():
        return {"days": [day.text for day in Day.select()]}

    @app.post("/")
    def write():
        Day.create(text=request.form["text"])
        return redirect("/")

    return app
