"""The local commands of the real divio-cli, against the stack for both databases."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.harness.choices import TWO_CORES, label
from tests.harness.images import Image
from tests.harness.processes import eventually, run
from tests.harness.stacks import DEVELOPMENT, Stack, stack_of

# One of each database.
pytestmark = pytest.mark.parametrize("answers", TWO_CORES, ids=label, indirect=True)
CONFIG = {"application_uuid": "11111111-2222-3333-4444-555555555555", "slug": "my-flask-app"}


@pytest.fixture(scope="session")
def stack(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("divio-app")
    with stack_of(image.baked, folder, DEVELOPMENT) as stack:
        settings = stack.baked.folder / ".divio"
        settings.mkdir()
        (settings / "config.json").write_text(json.dumps(CONFIG))
        yield stack


@pytest.fixture(scope="session")
def app(divio: Path, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a command of `divio app` in the folder of the stack."""
    home = tmp_path_factory.mktemp("divio-home")
    netrc = home / ".netrc"
    netrc.write_text("machine control.divio.com\n  login user\n  password no-token\n")
    netrc.chmod(0o600)
    (home / ".config" / "divio").mkdir(parents=True)
    # It looks for a newer release once a day, and ends in a traceback if told not to.
    settings = {"update_check_timestamp": int(time.time()), "skip_doctor": True}
    (home / ".config" / "divio" / "config.json").write_text(json.dumps(settings))
    docker_settings = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
    environment = stack.environment | {
        "HOME": str(home),
        "NETRC_PATH": str(netrc),
        "DOCKER_CONFIG": docker_settings,
        "BROWSER": "true",  # opens nothing
    }

    def call(*arguments: str) -> str:
        command = [divio, "app", *arguments]
        return run(*command, folder=stack.baked.folder, env=environment, errors=True)

    return call


def rows(stack: Stack) -> int:
    return int(stack.get("/probe/rows").text)


def test_up_starts_it_and_finds_its_address(app: Callable[..., str], stack: Stack) -> None:
    app("stop")
    assert stack.containers("web") == []

    said = app("up")

    assert f":{stack.port}/" in said
    eventually(lambda: stack.get("/").status_code == 200, "the page")


def test_database_is_exported_and_imported(app: Callable[..., str], stack: Stack) -> None:
    requests.post(f"{stack.url}/probe/rows", timeout=30)
    assert rows(stack) == 1

    app("export", "db")
    requests.post(f"{stack.url}/probe/rows", timeout=30)
    assert rows(stack) == 2

    if stack.baked.answers["database"] == "mysql":
        # A server newer than that of the stack names its transactions in a dump, and imports them
        # only once. The database that the dump comes from would be another one.
        forget = "SET @forget = IF(@@gtid_mode = 'ON', 'RESET BINARY LOGS AND GTIDS', 'DO 0'); "
        forget += "PREPARE forget FROM @forget; EXECUTE forget"
        [database] = stack.containers("database_default")
        database.execute("mysql", "--user=root", "--execute", forget)
    # Postgres drops no database that the application is connected to.
    stack.compose("stop", "web")
    app("import", "db")
    app("up")
    eventually(lambda: stack.get("/").status_code == 200, "the page")

    assert rows(stack) == 1
