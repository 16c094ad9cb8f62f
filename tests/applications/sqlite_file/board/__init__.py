"""A board that keeps its posts in a file beside its package."""

from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


def create_app(config="config.Config"):
    app = Flask(__name__)
    app.config.from_object(config)
    db.init_app(app)

    @app.get("/")
    def posts():
        return "\n".join(db.session.scalars(db.select(Post.text)))

    @app.post("/")
    def write():
        db.session.add(Post(text=request.form["text"]))
        db.session.commit()
        return redirect("/")

    return app
