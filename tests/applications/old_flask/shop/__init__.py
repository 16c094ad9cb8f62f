"""A shop on Flask 2.0, which has a variable of its own for the URL of its database."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from config import Config

db = SQLAlchemy()


def create_app(config=Config):
    app = Flask(__name__)
    app.config.from_object(config)
    db.init_app(app)

    from shop.views import bp

    app.register_blueprint(bp)
    return app
