"""One module, as Elastic Beanstalk wants it, with the driver of MySQL that needs a compiler."""

import os

from flask import Flask, redirect, render_template_string, request
from flask_sqlalchemy import SQLAlchemy

application = Flask(__name__)
application.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite://")
db = SQLAlchemy(application)


class Task(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


@application.get("/")
def tasks():
    found = db.session.scalars(db.select(Task))
    return render_template_string(
        "{% for task in tasks %}<li>{{ task.text }}{% endfor %}", tasks=found
    )


@application.post("/")
def add():
    db.session.add(Task(text=request.form["text"]))
    db.session.commit()
    return redirect("/")


@application.cli.command("create-tables")
def create_tables():
    db.create_all()


if __name__ == "__main__":
    application.run(debug=True)
