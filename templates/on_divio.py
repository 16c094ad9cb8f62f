{% from 'database.txt' import scheme, schemes, sqlalchemy with context %}
"""What an application has to know of Divio: DEPLOY.md tells where to call init_app."""

import os
from collections.abc import Iterable, Mapping
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Request, redirect
{% if sqlalchemy %}
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import ArgumentError
{% endif %}
from werkzeug import Response
from werkzeug.middleware.proxy_fix import ProxyFix

from . import access, media
from .environment import DEVELOPMENT_KEY, Environment
{% if sqlalchemy %}

SCHEMES = dict.fromkeys(["{{ schemes | join('", "') }}"], "{{ scheme }}")

# Divio allows 60 connections to an environment, and during a deployment the old and the new
# containers run side by side: https://docs.divio.com/reference/checks-timeouts/
# Of these, the server may reserve 3 for superusers, and 3 are for commands.
CONNECTIONS = (60 - 3 - 3) // 2
{% endif %}


def init_app(app: Flask, environ: Mapping[str, str] = os.environ) -> None:
    """Set up `app` for Divio, below all that fills its configuration and above its extensions.

    What the environment says wins{{ ", but an application that is TESTING keeps its database" if sqlalchemy }}.
    Raises environment.ConfigError, which ends the process with a message, where it is not usable.
    """
    if __name__ in app.extensions:
        return
    env = Environment(environ)
    app.config["SECRET_KEY"] = env.text("SECRET_KEY") or app.config["SECRET_KEY"]
    if env.deployed and app.config["SECRET_KEY"] in {None, "", DEVELOPMENT_KEY}:
        env.problems.append("SECRET_KEY: is missing, or is the key for local development.")
{% if sqlalchemy %}
    use_database(app, env)
{% endif %}
    app.config["MEDIA_STORAGE"] = env.media_storage()
    credentials = env.parsed(access.credentials, "BASIC_AUTH")
    hops = env.number("PROXY_HOPS", default=int(env.deployed), least=0, most=10)
    env.refuse_problems()

    app.extensions[__name__] = env
    media.init_app(app)
    application: WSGIApplication = app.wsgi_app
    if credentials:
        application = access.basic_auth(application, credentials, redirect_to_https)
    application = in_front(app, application, hops)
    if env.text("STAGE") not in {"", "local", "live"}:
        application = access.with_header(application, "X-Robots-Tag", "noindex")
    app.wsgi_app = application  # type: ignore[assignment, method-assign]


{% if sqlalchemy %}
def use_database(app: Flask, env: Environment) -> None:
    """Set what Flask-SQLAlchemy connects to, with connections that Divio's limit allows."""
    containers = env.number("CONTAINERS", default=1, least=1, most=100)
    workers = env.number("WEB_CONCURRENCY", default=2, least=1, most=100)
{% if 'flask-socketio' in cookiecutter.found.split() %}
    threads = env.number("WEB_THREADS", default=500, least=1, most=1000)
{% else %}
    threads = env.number("WEB_THREADS", default={{ 64 if cookiecutter.gateway_server == "gunicorn" else 40 }}, least=1, most=100)
{% endif %}
    url = env.parsed(engine_url, "DATABASE_URL", "DEFAULT_DATABASE_DSN")
    if not url or (app.testing and app.config.get("SQLALCHEMY_DATABASE_URI")):
        return
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    if url.startswith("{{ scheme.split('+')[0] }}") and not app.config.get("SQLALCHEMY_ENGINE_OPTIONS"):
        if containers * workers > CONNECTIONS:
            most = f"may be at most {CONNECTIONS}, so lower one of them."
            env.problems.append(f"CONTAINERS x WEB_CONCURRENCY: {most}")
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
            # Fewer than threads, so that pages without the database are served while it is slow.
            "pool_size": min(max(1, threads // 2), CONNECTIONS // (containers * workers)),
            "max_overflow": 0,
            # Seconds, like the next. A request that gets none is answered before others time out.
            "pool_timeout": 3,
            # A firewall in between may close connections that are older.
            "pool_recycle": 300,
            # One that a restart of the database has ended is replaced.
            "pool_pre_ping": True,
        }


def engine_url(dsn: str) -> str:
    """Return the URL for SQLAlchemy of a DSN. Raises ValueError, which shows no part of it."""
    scheme, separator, rest = dsn.partition("://")
    url = SCHEMES.get(scheme.lower(), scheme) + separator + rest
    try:
        parts = make_url(url)
        parts.get_dialect()
        is_whole = "@" not in (parts.host or "")
    except (ArgumentError, ValueError):
        is_whole = False
    if not is_whole:
        message = "is no URL for SQLAlchemy. In its password /, #, ? and @ must be percent-encoded."
        raise ValueError(message)
    return url


{% endif %}
def redirect_to_https(request: Request) -> Response | None:
    """Redirect what came over plain HTTP, so that no password does."""
    if request.headers.get("X-Forwarded-Proto") == "http":
        return redirect(f"https:{request.url.partition(':')[2]}", 307)
    return None


def in_front(app: Flask, application: WSGIApplication, hops: int) -> WSGIApplication:
    """Return the application behind /healthz, and behind proxies, which tell client and scheme."""
    behind_proxies = ProxyFix(application, x_for=hops, x_proto=1, x_host=0) if hops else application

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/healthz" and not any(
            rule.rule == "/healthz" for rule in app.url_map.iter_rules()
        ):
            alive = Response("ok\n", headers={"Cache-Control": "no-store"})
            return alive(environ, start_response)
        if "werkzeug.proxy_fix.orig" in environ:  # by a ProxyFix of the application's own
            return application(environ, start_response)
        return behind_proxies(environ, start_response)

    return answer
