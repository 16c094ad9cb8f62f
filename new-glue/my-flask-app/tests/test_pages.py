import re
from unittest.mock import Mock

import pytest
from conftest import MakeApp
from flask.testing import FlaskClient

from my_flask_app import probes


@pytest.fixture
def run_probes(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Return what notes which probes are run."""
    run = Mock(wraps=probes.run)
    monkeypatch.setattr(probes, "run", run)
    return run


@pytest.mark.parametrize("path", ["/", "/hello"])
def test_page(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert client.head(path).status_code == 200


def test_page_obeys_the_content_security_policy(client: FlaskClient) -> None:
    html = client.get("/").text
    assert not [word for word in ("<script>", "<style", " style=", " onclick=") if word in html]


def test_messages_are_shown_once(client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["_flashes"] = [("message", "Saved <this>")]
    assert "Saved &lt;this&gt;" in client.get("/").text
    assert "Saved" not in client.get("/").text


def test_welcome_page_shows_the_state_in_development(make_app: MakeApp, run_probes: Mock) -> None:
    shown = re.findall("<strong>(.+)</strong>", make_app(STAGE="local").test_client().get("/").text)
    assert shown == [name.capitalize() for name in run_probes.call_args.args]
    assert "Database" in shown


@pytest.mark.parametrize("stage", ["", "live", "test"])
def test_public_sees_no_state(make_app: MakeApp, run_probes: Mock, stage: str) -> None:
    app = make_app(STAGE=stage, SECRET_KEY="a-random-key", SECURE_SSL_REDIRECT="False")
    html = app.test_client().get("/").text
    assert "<h1>" in html
    assert "<strong>" not in html
    run_probes.assert_not_called()


# Divio asks for this page, and gives a deployment up when it answers 503.
@pytest.mark.parametrize("stage", ["", "local"])
def test_page_needs_no_database(make_app: MakeApp, unreachable_database: str, stage: str) -> None:
    app = make_app(STAGE=stage, DATABASE_URL=unreachable_database)
    response = app.test_client().get("/")
    assert response.status_code == 200
    assert ("Problem" in response.text) is (stage == "local")
    assert "topsecret" not in response.text
