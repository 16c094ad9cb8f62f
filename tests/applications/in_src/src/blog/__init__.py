"""An application that is in a folder src, with its requirements locked beside it."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "In src."
