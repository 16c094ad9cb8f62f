"""Tests of the package on_divio, which run beside it, with the Flask of an application."""

import base64
import io
from pathlib import Path
from typing import Any

import on_divio
import pytest
from flask import Flask, request
from on_divio.environment import DEVELOPMENT_KEY, ConfigError
from on_divio.media import NotConfiguredError, media
from werkzeug.middleware.proxy_fix import ProxyFix

DEPLOYED = {"STAGE": "live", "SECRET_KEY": "key-of-divio"}
TEST = DEPLOYED | {"STAGE": "test"}


def make(environ: dict[str, str], **config: Any) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(config)
    on_divio.init_app(app, environ)
    return app


@pytest.mark.parametrize(
    ("environ", "config", "key"),
    [
        ({}, {}, None),
        ({}, {"SECRET_KEY": "own"}, "own"),
        ({"SECRET_KEY": " "}, {"SECRET_KEY": "own"}, "own"),
        ({"SECRET_KEY": " given\n"}, {}, "given"),
        (DEPLOYED, {"SECRET_KEY": "own"}, "key-of-divio"),
        ({"STAGE": "live"}, {"SECRET_KEY": "own"}, "own"),
        ({"STAGE": "local", "SECRET_KEY": DEVELOPMENT_KEY}, {}, DEVELOPMENT_KEY),
    ],
    ids=str,
)
def test_secret_key(environ: dict[str, str], config: dict[str, str], key: str | None) -> None:
    assert make(environ, **config).config["SECRET_KEY"] == key


def test_problems_end_the_process_with_one_message_and_no_secret() -> None:
    environ = {
        "STAGE": "live",
        "BASIC_AUTH": "topsecret",
        "SECRET_KEY": DEVELOPMENT_KEY,
        "DEFAULT_STORAGE_DSN": "ftp://key:topsecret@host/",
        "MEDIA_MAX_AGE": "topsecret",
        "PROXY_HOPS": "topsecret",
    }
    with pytest.raises(ConfigError) as caught:
        make(environ)

    lines = str(caught.value).splitlines()
    assert lines.pop(0) == "The environment variables are not usable:"
    assert {line.partition(":")[0] for line in lines} == {f"- {name}" for name in environ} - {
        "- STAGE"
    }
    assert "topsecret" not in str(caught.value)


def seen(app: Flask, client: str = "203.0.113.7", **headers: str) -> str:
    """Return what a view is told of a request that came through a proxy."""

    @app.get("/seen")
    def view() -> str:
        return f"{request.scheme} {request.host} {request.remote_addr}"

    forwarded = {"X-Forwarded-For": f"198.51.100.1, {client}", "X-Forwarded-Proto": "https"}
    forwarded |= {"X-Forwarded-Host": "evil.example"} | headers
    response = app.test_client().get("/seen", headers=forwarded, base_url="http://a.example")
    return response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (DEPLOYED, "https a.example 203.0.113.7"),
        (DEPLOYED | {"PROXY_HOPS": "2"}, "https a.example 198.51.100.1"),
        (DEPLOYED | {"PROXY_HOPS": "0"}, "http a.example 127.0.0.1"),
        ({"STAGE": "local"}, "http a.example 127.0.0.1"),
        ({}, "http a.example 127.0.0.1"),
    ],
    ids=str,
)
def test_proxies(environ: dict[str, str], expected: str) -> None:
    assert seen(make(environ)) == expected


@pytest.mark.parametrize("order", ["before", "after"])
def test_own_proxy_fix_counts(order: str) -> None:
    app = Flask(__name__)
    if order == "after":
        on_divio.init_app(app, DEPLOYED)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=2, x_proto=1, x_host=1)
    on_divio.init_app(app, DEPLOYED)

    assert seen(app) == "https evil.example 198.51.100.1"


def test_health() -> None:
    response = make({}).test_client().get("/healthz")

    assert (response.status_code, response.data) == (200, b"ok\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_own_view_of_health_counts() -> None:
    app = make({})
    app.add_url_rule("/healthz", view_func=lambda: "own")

    assert app.test_client().get("/healthz").data == b"own"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, None), ({"STAGE": "local"}, None), (DEPLOYED, None), (TEST, "noindex")],
    ids=str,
)
@pytest.mark.parametrize("path", ["/nowhere", "/healthz"])
def test_search_engines_find_no_site_but_live(
    environ: dict[str, str], expected: str | None, path: str
) -> None:
    assert make(environ).test_client().get(path).headers.get("X-Robots-Tag") == expected


@pytest.mark.parametrize(
    ("path", "forwarded", "password", "status"),
    [
        ("/static/a", "https", "", 401),
        ("/media/a", "https", "", 401),
        ("/nowhere", "https", "u:p", 401),
        ("/nowhere", "http", "u:p:q", 307),
        ("/nowhere", "https", "u:p:q", 404),
        ("/static/a", "https", "u:p:q", 200),
        ("/media/a", "https", "u:p:q", 200),
        ("/healthz", "http", "", 200),
        ("/readyz", "http", "", 200),
    ],
)
def test_password(path: str, forwarded: str, password: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    app = Flask(__name__, static_folder=tmp_path, static_url_path="/static")
    app.add_url_rule("/readyz", view_func=lambda: "own")
    media_dsn = f"file://{tmp_path}?url=/media/"
    on_divio.init_app(app, TEST | {"BASIC_AUTH": "u:p:q", "DEFAULT_STORAGE_DSN": media_dsn})
    token = base64.b64encode(password.encode()).decode()
    headers = {"X-Forwarded-Proto": forwarded, "Authorization": f"Basic {token}"}

    with app.test_client().get(path, headers=headers, base_url="http://a.example") as response:
        assert response.status_code == status
        assert response.headers.getlist("Cache-Control") == ["no-store"]
        moved = f"https://a.example{path}" if status == 307 else None
        assert response.headers.get("Location") == moved


def test_local_media_is_saved_and_served(tmp_path: Path) -> None:
    app = make({"DEFAULT_STORAGE_DSN": f"file://{tmp_path}/media/?url=%2Fmedia%2F"})
    app.add_url_rule("/media", "media", view_func=lambda: "own")
    app.add_template_filter(str.upper, "media")
    with app.app_context():
        name = media.save("../a/b c.png", io.BytesIO(b"picture"))
        url = media.url(name)
        shown = app.jinja_env.from_string("<img src={{ media.url(name) }}>").render(name=name)
    with app.test_client().get(url) as response:
        served = response.get_data()

    assert (name, url) == ("a/b_c.png", "/media/a/b_c.png")
    assert shown == f"<img src={url}>"
    assert served == b"picture"
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert app.test_client().get("/media/none").status_code == 404
    assert app.test_client().get("/media").data == b"own"


def test_without_a_storage_media_says_what_to_set() -> None:
    with make({}).app_context(), pytest.raises(NotConfiguredError, match="DEFAULT_STORAGE_DSN"):
        media.save("a", io.BytesIO())


def test_second_call_changes_nothing(tmp_path: Path) -> None:
    environ = {"DEFAULT_STORAGE_DSN": f"file://{tmp_path}/?url=%2Fmedia%2F"}
    app = make(environ)
    before = app.wsgi_app, dict(app.config)

    on_divio.init_app(app, environ)

    assert (app.wsgi_app, dict(app.config)) == before
