"""A newsletter that cannot be imported without its settings."""

from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy

from newsletter import settings

app = Flask(__name__)
app.config.from_object(settings)
db = SQLAlchemy(app)


class Reader(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


@app.get("/readers")
def readers():
    texts = db.session.scalars(db.select(Reader.text))
    return {"sender": app.config["NEWSLETTER_SENDER"], "readers": list(texts)}


@app.post("/readers")
def subscribe():
    db.session.add(Reader(text=request.form["text"]))
    db.session.commit()
    return redirect("/readers")


@app.cli.command("create-tables")
def create_tables():
    db.create_all()
