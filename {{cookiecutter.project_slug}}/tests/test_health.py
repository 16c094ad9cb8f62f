from pathlib import Path

import pytest
from conftest import MakeApp
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

DEPLOYED = {"STAGE": "live", "SECRET_KEY": "random-key", "DOMAIN": "a.example", "BASIC_AUTH": "a:b"}


def states(response: TestResponse) -> dict[str, str]:
    """Return what /readyz says of each probe."""
    return dict(line.split(": ") for line in response.text.splitlines())


def test_process_is_alive_without_a_database(make_app: MakeApp, unreachable_database: str) -> None:
    response = make_app(DATABASE_URL=unreachable_database).test_client().get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_what_is_below_is_the_application_s(client: FlaskClient) -> None:
    assert client.get("/healthz/x").status_code == 404


@pytest.mark.parametrize("dsn", ["", "file://{folder}/media"], ids=["no-media", "media"])
def test_ready(make_app: MakeApp, tmp_path: Path, dsn: str) -> None:
    client = make_app(DEFAULT_STORAGE_DSN=dsn.format(folder=tmp_path)).test_client()
    response = client.get("/readyz")
    assert response.status_code == 200
    assert states(response) == {"database": "ok", "media": "ok"}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", ["", "sqlite://"])
def test_not_ready_when_deployed_with_the_database_in_memory(make_app: MakeApp, url: str) -> None:
    response = make_app(**DEPLOYED, DATABASE_URL=url).test_client().get("/readyz")
    assert response.status_code == 503
    assert states(response) == {"database": "failed", "media": "ok"}


def test_not_ready_without_the_media_storage(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    client = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/file/media").test_client()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert states(response) == {"database": "ok", "media": "failed"}


def test_not_ready_without_the_database_for_a_reason_in_the_log(
    make_app: MakeApp, unreachable_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app(DATABASE_URL=unreachable_database, LOG_LEVEL="debug")
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert states(response) == {"database": "failed", "media": "ok"}
    log = "".join(capsys.readouterr())
    assert "127.0.0.1" in log
    assert "topsecret" not in log


def test_reason_is_logged_once_until_it_changes(
    make_app: MakeApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "media"
    folder.touch()
    client = make_app(DEFAULT_STORAGE_DSN=f"file://{folder}").test_client()

    def errors_of_two_polls() -> int:
        for _ in range(2):
            client.get("/readyz")
        return capsys.readouterr().err.count("Not ready, media")

    assert errors_of_two_polls() == 1
    assert errors_of_two_polls() == 0
    folder.unlink()
    assert errors_of_two_polls() == 0
    folder.rmdir()
    folder.touch()
    assert errors_of_two_polls() == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_no_rule_about_hosts_or_https_applies(make_app: MakeApp, tmp_path: Path, path: str) -> None:
    client = make_app(**DEPLOYED, DATABASE_URL=f"sqlite:///{tmp_path}/db").test_client()
    assert client.get(path, headers={"Host": "10.0.0.164:11453"}).status_code == 200
