"""A gallery that writes into its own static folder."""

import os

from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy
from werkzeug.utils import secure_filename

db = SQLAlchemy()


class Picture(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)
    file = db.Column(db.String(200), nullable=False)


def create_app(**config):
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.getenv("DATABASE_URL", "sqlite://")
    app.config["UPLOAD_FOLDER"] = os.path.join(app.root_path, "static", "uploads")
    app.config.update(config)
    db.init_app(app)
    os.makedirs(app.config["UPLOAD_FOLDER"], exist_ok=True)

    @app.get("/")
    def pictures():
        return "".join(
            f"<li>{picture.text}, {os.path.getsize(path_of(picture.file))} bytes"
            for picture in db.session.scalars(db.select(Picture))
        )

    @app.post("/")
    def upload():
        file = request.files["file"]
        name = secure_filename(file.filename)
        file.save(path_of(name))
        db.session.add(Picture(text=request.form["text"], file=name))
        db.session.commit()
        return redirect("/")

    def path_of(name):
        return os.path.join(app.config["UPLOAD_FOLDER"], name)

    @app.cli.command("create-tables")
    def create_tables():
        db.create_all()

    return app
