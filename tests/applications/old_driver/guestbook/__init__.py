"""A guest book of 2021: psycopg2 and SQLAlchemy 1.4, which does not know "postgres"."""

import os

from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Entry(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


def create_app(database=None):
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "dev")
    app.config["SQLALCHEMY_DATABASE_URI"] = database or os.environ["DATABASE_URL"]
    app.config["SQLALCHEMY_TRACK_MODIFICATIONS"] = False
    db.init_app(app)

    @app.route("/")
    def index():
        return "<br>".join(entry.text for entry in Entry.query.all())

    @app.route("/", methods=["POST"])
    def sign():
        db.session.add(Entry(text=request.form["text"]))
        db.session.commit()
        return redirect("/")

    @app.cli.command("create-tables")
    def create_tables():
        db.create_all()

    return app
