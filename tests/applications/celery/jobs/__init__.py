"""Orders, which a job ships."""

import os

from celery import Celery, Task
from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Order(db.Model):
    __tablename__ = "orders"

    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


def create_app():
    app = Flask(__name__)
    database = os.environ.get("DATABASE_URL", "sqlite://")
    app.config["SQLALCHEMY_DATABASE_URI"] = database
    app.config["CELERY"] = {
        "broker_url": os.environ.get("CELERY_BROKER_URL", f"sqla+{database}"),
        "task_ignore_result": True,
        "task_always_eager": database == "sqlite://",
    }
    db.init_app(app)
    celery_init_app(app)

    @app.get("/")
    def orders():
        return "\n".join(db.session.scalars(db.select(Order.text).order_by(Order.id)))

    @app.post("/")
    def add():
        from jobs.tasks import ship

        order = Order(text=request.form["text"])
        db.session.add(order)
        db.session.commit()
        ship.delay(order.id)
        return redirect("/")

    @app.cli.command("create-tables")
    def create_tables():
        db.create_all()

    return app


def celery_init_app(app):
    class ContextTask(Task):
        def __call__(self, *args, **kwargs):
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=ContextTask)
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()
    app.extensions["celery"] = celery_app
    return celery_app
