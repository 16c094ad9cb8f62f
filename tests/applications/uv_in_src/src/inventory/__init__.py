"""A JSON API whose package is in src, with an engine of its own."""

import os

import click
from flask import Flask, jsonify, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from inventory.models import Base, Item


def create_app(test_config: dict[str, str] | None = None) -> Flask:
    app = Flask(__name__)
    if test_config:
        engine = create_engine(test_config["DATABASE_URL"], poolclass=StaticPool)
    else:
        engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)

    @app.cli.command("create-tables")
    def create_tables() -> None:
        Base.metadata.create_all(engine)
        click.echo("The tables are there.")

    @app.get("/api/items")
    def items():
        with Session(engine) as session:
            return jsonify([item.text for item in session.scalars(select(Item))])

    @app.post("/api/items")
    def add():
        with Session(engine) as session:
            session.add(Item(text=request.form["text"]))
            session.commit()
        return "", 201

    return app
