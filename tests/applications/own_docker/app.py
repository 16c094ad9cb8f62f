"""An application that ran in a container before."""

import os

from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy

application = Flask(__name__)
application.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite://")
db = SQLAlchemy(application)


class Crate(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


@application.get("/")
def index() -> str:
    return "Own container."


@application.get("/crates")
def crates() -> str:
    return "\n".join(db.session.scalars(db.select(Crate.text)))


@application.post("/crates")
def add():
    db.session.add(Crate(text=request.form["text"]))
    db.session.commit()
    return redirect("/crates")


@application.cli.command("create-tables")
def create_tables() -> None:
    db.create_all()
