"""A visitors' list with a library out of a git repository, and no ORM."""

import os
from contextlib import closing
from urllib.parse import urlsplit

import pymysql
from flask import Flask, redirect, request
from greeting import greet

app = Flask(__name__)


def connect():
    url = urlsplit(os.environ["DATABASE_URL"])
    assert url.scheme == "mysql"
    return pymysql.connect(
        host=url.hostname,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=url.path[1:],
        autocommit=True,
    )


def query(statement, *values):
    with closing(connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


@app.get("/")
def visitors():
    return "\n".join(greet(name) for (name,) in query("SELECT name FROM visitors"))


@app.post("/")
def visit():
    query("INSERT INTO visitors (name) VALUES (%s)", request.form["text"])
    return redirect("/")
