from contextlib import AbstractContextManager

import pytest
from conftest import MakeApp
from flask import Flask, render_template_string, url_for

from my_flask_app.urls import main_url_for

ANY_HOST = {"DOMAIN": "a.example", "DOMAIN_ALIASES": ".*"}
DEPLOYED = {"STAGE": "live", "SECRET_KEY": "a-random-key"}


def context(app: Flask, host: str | None) -> AbstractContextManager[object]:
    """Return the context of a request for this host, or of a command."""
    return app.test_request_context(headers={"Host": host}) if host else app.app_context()


@pytest.mark.parametrize(
    ("environ", "host", "expected"),
    [
        ({}, None, "http://localhost"),
        ({}, "b.example:8000", "http://b.example:8000"),
        (DEPLOYED, "b.example", "https://b.example"),
        ({"DOMAIN": "a.example"}, None, "http://a.example"),
        (DEPLOYED | ANY_HOST, None, "https://a.example"),
        (DEPLOYED | ANY_HOST, "evil.example", "https://a.example"),
        (DEPLOYED | ANY_HOST | {"SECURE_SSL_REDIRECT": "False"}, None, "http://a.example"),
    ],
)
def test_url(make_app: MakeApp, environ: dict[str, str], host: str | None, expected: str) -> None:
    with context(make_app(**environ), host):
        url = main_url_for("tests.fail", message="\xfc", q="a b")
    assert url == f"{expected}/tests/break/%C3%BC?q=a+b"


@pytest.mark.parametrize("host", [None, "evil.example"])
def test_templates_have_it_and_static_files_their_hash(make_app: MakeApp, host: str | None) -> None:
    app = make_app(**ANY_HOST)
    template = "{{main_url_for('static', filename='style.css')}}"
    with context(app, host):
        url = render_template_string(template)
    with app.test_request_context():
        assert url == "http://a.example" + url_for("static", filename="style.css")
        assert url != "http://a.example/static/style.css"
