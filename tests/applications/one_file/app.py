"""An application in a single file."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "One file."
