import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import TEST_DATABASE_URL, MakeApp, needs_server, views
from flask import Flask, current_app
from sqlalchemy import make_url

Lines = Callable[[], list[str]]


@views.get("/work")
def work() -> str:
    current_app.logger.info("working")
    current_app.logger.warning("tired")
    return "done"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that tells the lines logged since its last call."""
    return lambda: "".join(capsys.readouterr()).splitlines()


@pytest.fixture
def make_app(make_app: MakeApp, lines: Lines) -> MakeApp:
    def make(**environ: str) -> Flask:
        app = make_app(**environ)
        app.testing = False
        lines()
        return app

    return make


def test_each_line_has_the_id_of_the_request(make_app: MakeApp, lines: Lines) -> None:
    response = make_app().test_client().get("/tests/work")
    logged = lines()
    assert len(logged) == 3
    assert all(f"[{response.headers['X-Request-ID']}]" in line for line in logged)


def test_line_tells_time_level_logger_and_message(make_app: MakeApp, lines: Lines) -> None:
    make_app().test_client().get("/tests/work")
    line = next(line for line in lines() if "tired" in line)
    time, _, rest = line.partition(" WARNING ")
    assert re.fullmatch(r"[\d-]{10} [\d:,.]{8,}", time)
    assert re.fullmatch(r"\[\w+\] [\w.]+: tired", rest)


def test_json_has_one_object_on_each_line(make_app: MakeApp, lines: Lines) -> None:
    response = make_app(LOG_FORMAT="json").test_client().get("/tests/work")
    logged: list[dict[str, Any]] = [json.loads(line) for line in lines()]
    assert [entry["message"] for entry in logged[:2]] == ["working", "tired"]
    assert {entry["request_id"] for entry in logged} == {response.headers["X-Request-ID"]}


def test_json_keeps_a_traceback_on_its_line(make_app: MakeApp, lines: Lines) -> None:
    make_app(LOG_FORMAT="json").test_client().get("/tests/break/it")
    logged = [json.loads(line) for line in lines()]
    assert any("RuntimeError" in str(entry.get("exc_info")) for entry in logged)


def test_request_is_logged_without_its_query(make_app: MakeApp, lines: Lines) -> None:
    make_app().test_client().get("/tests/page?token=topsecret")
    (line,) = lines()
    assert "GET /tests/page 200" in line
    assert "topsecret" not in line


def test_request_is_not_logged_twice_in_development(make_app: MakeApp, lines: Lines) -> None:
    client = make_app().test_client()
    client.get("/tests/page", environ_overrides={"SERVER_SOFTWARE": "Werkzeug/3.1"})
    assert lines() == []


def test_line_outside_of_a_request_has_no_id(make_app: MakeApp, lines: Lines) -> None:
    make_app().logger.info("starting")
    (line,) = lines()
    assert "[-]" in line


def test_unexpected_error_is_logged_with_the_id(make_app: MakeApp, lines: Lines) -> None:
    response = make_app().test_client().get("/tests/break/it")
    logged = lines()
    assert f"[{response.headers['X-Request-ID']}]" in logged[0]
    assert any(line.startswith("  RuntimeError") for line in logged)


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "1", "f" * 64])
def test_id_of_a_proxy_is_kept(app: Flask, given: str) -> None:
    response = app.test_client().get("/tests/page", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    ["", "a b", "a\nERROR forged", "a\n", "[x]", "\xe4", "f" * 65],
    ids=["empty", "space", "line", "line-end", "brackets", "no-ascii", "long"],
)
def test_id_that_could_forge_a_line_is_replaced(app: Flask, given: str) -> None:
    response = app.test_client().get("/tests/page", environ_overrides={"HTTP_X_REQUEST_ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_each_request_has_another_id(app: Flask) -> None:
    answers = [app.test_client().get("/tests/page") for _ in range(2)]
    assert len({response.headers["X-Request-ID"] for response in answers}) == 2


@pytest.mark.parametrize("path", ["/tests/page", "/tests/break/it", "/tests/nowhere"])
def test_path_forges_no_line(make_app: MakeApp, lines: Lines, path: str) -> None:
    make_app().test_client().get(f"{path}%0A2026-01-01%20ERROR%20forged%0D%C2%85forged")
    logged = lines()
    assert logged
    assert not [line for line in logged if line.startswith(("2026-01-01 ERROR", "forged"))]


@pytest.mark.parametrize(
    ("level", "messages"),
    [
        ("debug", {"working", "tired"}),
        ("info", {"working", "tired"}),
        ("warning", {"tired"}),
        ("error", set()),
        ("critical", set()),
    ],
)
def test_level(make_app: MakeApp, lines: Lines, level: str, messages: set[str]) -> None:
    make_app(LOG_LEVEL=level).test_client().get("/tests/work")
    text = "\n".join(lines())
    assert {word for word in ("working", "tired") if word in text} == messages


@needs_server
def test_no_password_is_logged_when_the_server_refuses_it(make_app: MakeApp, lines: Lines) -> None:
    # The other name makes it fail on servers that ask for no password, too.
    url = make_url(TEST_DATABASE_URL)
    url = url.set(password="hushhush", database="no-such-name")
    app = make_app(DATABASE_URL=url.render_as_string(hide_password=False), LOG_LEVEL="debug")
    assert app.test_client().get("/readyz").status_code == 503
    text = "\n".join(lines())
    assert "database" in text
    assert "hushhush" not in text
