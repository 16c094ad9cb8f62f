"""Polls, whose tables are brought up to date while the application is made."""

import os

from flask import Flask, redirect, request
from flask_migrate import Migrate, upgrade
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Poll(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


def create_app(config=None):
    app = Flask(__name__)
    url = os.environ.get("DATABASE_URL", "sqlite://")
    app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgres://", "postgresql+psycopg://")
    app.config.from_mapping(config or {})
    db.init_app(app)
    Migrate(app, db)

    with app.app_context():
        upgrade()

    @app.get("/")
    def polls():
        return "<br>".join(db.session.scalars(db.select(Poll.text)))

    @app.post("/")
    def ask():
        db.session.add(Poll(text=request.form["text"]))
        db.session.commit()
        return redirect("/")

    return app
