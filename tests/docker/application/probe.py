"""What the tests ask of the running application. They add it to a baked project."""

import os
import socket
import time

from flask import Blueprint, Response, jsonify, request, session
from sqlalchemy import text

from .database import db
from .media import media
from .security import csrf

blueprint = Blueprint("probe", __name__, url_prefix="/probe")
csrf.exempt(blueprint)


@blueprint.get("/slow")
def slow() -> str:
    time.sleep(float(request.args["seconds"]))
    return "done"


@blueprint.post("/rows")
def add_row() -> str:
    db.session.execute(text("INSERT INTO probe (name) VALUES ('row')"))
    db.session.commit()
    return "added"


@blueprint.get("/rows")
def count_rows() -> str:
    return str(db.session.execute(text("SELECT count(*) FROM probe")).scalar())


@blueprint.get("/session")
def count_visits() -> Response:
    session["visits"] = session.get("visits", 0) + 1
    return jsonify(visits=session["visits"], replica=socket.gethostname())


@blueprint.get("/request")
def show_request() -> Response:
    return jsonify(
        client=request.remote_addr,
        url=request.url,
        server=request.environ.get("SERVER_SOFTWARE", ""),
        uwsgi="uwsgi.version" in request.environ,
        user=os.getuid(),
    )


@blueprint.post("/media")
def upload() -> str:
    return media.url(media.save("probe/picture.png", request.files["file"].stream))


@blueprint.post("/size")
def measure_body() -> str:
    file = request.files["file"]
    return str(file.seek(0, os.SEEK_END))
