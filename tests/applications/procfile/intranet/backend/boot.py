"""News of an intranet, in SQL, under names that only the Procfile tells."""

from gevent import monkey

monkey.patch_all()

from flask import Flask, redirect, request

from intranet.backend import database

site = Flask("intranet")


@site.get("/news")
def news():
    return "\n".join(text for (text,) in database.query("SELECT text FROM news"))


@site.post("/news")
def publish():
    database.query("INSERT INTO news (text) VALUES (%s)", request.form["text"])
    return redirect("/news")
