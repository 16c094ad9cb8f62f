from pathlib import Path

import pytest
from conftest import MakeApp
from flask.testing import FlaskClient

DEPLOYED = {"STAGE": "live", "SECRET_KEY": "a-random-key", "DOMAIN": "a.example"}


def test_process_is_alive(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_process_is_alive_without_a_database(make_app: MakeApp, unreachable_database: str) -> None:
    client = make_app(DATABASE_URL=unreachable_database).test_client()
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("dsn", ["", "file://{folder}/media"], ids=["no-media", "media"])
def test_ready(make_app: MakeApp, tmp_path: Path, dsn: str) -> None:
    client = make_app(DEFAULT_STORAGE_DSN=dsn.format(folder=tmp_path)).test_client()
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (200, "database: ok\nmedia: ok\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_not_ready_without_the_database(make_app: MakeApp, unreachable_database: str) -> None:
    response = make_app(DATABASE_URL=unreachable_database).test_client().get("/readyz")
    assert (response.status_code, response.text) == (503, "database: failed\nmedia: ok\n")


@pytest.mark.parametrize("url", ["", "sqlite://"])
def test_not_ready_when_deployed_with_the_database_in_memory(make_app: MakeApp, url: str) -> None:
    response = make_app(**DEPLOYED, DATABASE_URL=url).test_client().get("/readyz")
    assert (response.status_code, response.text) == (503, "database: failed\nmedia: ok\n")


def test_not_ready_without_the_media_storage(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    client = make_app(DEFAULT_STORAGE_DSN=f"file://{tmp_path}/file/media").test_client()
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (503, "database: ok\nmedia: failed\n")


def test_reason_is_in_the_log_alone(
    make_app: MakeApp, unreachable_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    response = make_app(DATABASE_URL=unreachable_database).test_client().get("/readyz")
    assert "127.0.0.1" not in response.text
    log = "".join(capsys.readouterr())
    assert "127.0.0.1" in log
    assert "topsecret" not in log


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_no_rule_about_hosts_or_https_applies(make_app: MakeApp, tmp_path: Path, path: str) -> None:
    client = make_app(**DEPLOYED, DATABASE_URL=f"sqlite:///{tmp_path}/db").test_client()
    assert client.get(path, headers={"Host": "10.0.0.164:11453"}).status_code == 200
