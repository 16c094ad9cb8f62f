"""A chat that keeps what was said."""

import os

from flask import Flask, redirect, request
from flask_socketio import SocketIO, emit
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "secret!")
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite://")
db = SQLAlchemy(app)
socketio = SocketIO(app)


class Message(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


def keep(text):
    db.session.add(Message(text=text))
    db.session.commit()


@app.get("/")
def messages():
    return "\n".join(db.session.scalars(db.select(Message.text)))


@app.post("/")
def say():
    keep(request.form["text"])
    socketio.emit("said", request.form["text"])
    return redirect("/")


@socketio.on("say")
def said(text):
    keep(text)
    emit("said", text, broadcast=True)


@app.cli.command("create-tables")
def create_tables():
    db.create_all()


if __name__ == "__main__":
    socketio.run(app)
