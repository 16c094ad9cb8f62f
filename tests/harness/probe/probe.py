"""What the tests ask of the running application. They add it to a baked project."""

import ctypes
import logging
import os
import socket
import sys
import time
from typing import NoReturn

from flask import Blueprint, Response, jsonify, request, session
from sqlalchemy import text

from .database import db
from .media import media
from .security import csrf

blueprint = Blueprint("probe", __name__, url_prefix="/probe")
csrf.exempt(blueprint)
logger = logging.getLogger(__name__)


@blueprint.before_app_request
def log_beginning() -> None:
    logger.info("begun %s", request.path)


@blueprint.get("/slow")
def slow() -> str:
    time.sleep(float(request.args["seconds"]))
    return "done"


@blueprint.get("/exit")
def end_process() -> NoReturn:
    sys.exit(3)


@blueprint.get("/hang")
def hang() -> str:
    """Let no other thread of the process run, as a regular expression may."""
    ctypes.PyDLL(None).sleep(60)
    return "done"


@blueprint.post("/rows")
def add_row() -> str:
    db.session.execute(text("INSERT INTO probe (name) VALUES ('row')"))
    db.session.commit()
    return "added"


@blueprint.get("/rows")
def count_rows() -> str:
    return str(db.session.execute(text("SELECT count(*) FROM probe")).scalar())


@blueprint.get("/locked")
def lock_rows() -> str:
    return str(len(db.session.execute(text("SELECT id FROM probe FOR UPDATE")).all()))


@blueprint.get("/query")
def query_slowly() -> str:
    sleep_in_database(float(request.args["seconds"]))
    return "done"


@blueprint.get("/visit")
def visit() -> str:
    """Add a row and read it, on a connection that is in use for a while."""
    added = db.session.execute(text("INSERT INTO probe (name) VALUES ('visit')")).rowcount
    sleep_in_database(0.2)
    found = db.session.scalar(text("SELECT count(*) FROM probe WHERE name = 'visit'"))
    db.session.commit()
    return f"{added} of {found}"


def sleep_in_database(seconds: float) -> None:
    sleeps = {"postgresql": "SELECT pg_sleep(:seconds)", "mysql": "SELECT SLEEP(:seconds)"}
    db.session.execute(text(sleeps[db.engine.name]), {"seconds": seconds})


@blueprint.get("/duplicate")
def add_duplicate() -> str:
    for _ in range(2):
        db.session.execute(text("INSERT INTO probe (id, name) VALUES (99, 'row')"))
    return "never"


@blueprint.get("/nonsense")
def ask_nonsense() -> str:
    return str(db.session.scalar(text("SELECT nothing FROM nowhere")))


@blueprint.get("/lost")
def lose_connection() -> str:
    """Have the database end the connection of this request, after its last query."""
    functions = {"postgresql": "pg_backend_pid()", "mysql": "connection_id()"}
    number = db.session.scalar(text(f"SELECT {functions[db.engine.name]}"))
    ends = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
    with db.engine.connect() as connection:
        connection.execute(text(ends[db.engine.name].format(number)))
    return "done"


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


@blueprint.post("/body")
def read_body() -> str:
    size = 0
    while part := request.stream.read(2**16):
        size += len(part)
    logger.info("read %d bytes", size)
    return str(size)
