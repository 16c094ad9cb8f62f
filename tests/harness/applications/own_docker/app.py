"""An application that ran in a container before."""

from flask import Flask

application = Flask(__name__)


@application.get("/")
def index() -> str:
    return "Own container."
