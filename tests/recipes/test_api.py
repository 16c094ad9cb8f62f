"""The JSON API on real servers, asked all that its document allows, and much that it does not."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.processes import run
from tests.harness.recipes import gate
from tests.harness.sites import let_root_serve, serve
from tests.recipes.conftest import Follow

SCHEMATHESIS = "4.32.5"


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(
    core: Answers, follow: Follow, mypy_cache: str, start_server: Callable[[str], str]
) -> None:
    url = new_database(start_server(core["database"]), "api_gate")
    gate(follow("api", **core), "api", mypy_cache=mypy_cache, TEST_DATABASE_URL=url)


@pytest.fixture(scope="session")
def schemathesis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of Schemathesis, in an environment of its own."""
    folder = tmp_path_factory.mktemp("schemathesis")
    python = folder / "bin" / "python"
    run("uv", "venv", "--quiet", "--python", sys.executable, folder)
    package = f"schemathesis=={SCHEMATHESIS}"
    run("uv", "pip", "install", "--quiet", "--python", python, package)
    return folder / "bin" / "schemathesis"


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_it_does_as_its_document_says(
    core: Answers,
    follow: Follow,
    start_server: Callable[[str], str],
    schemathesis: Path,
    tmp_path: Path,
) -> None:
    project = follow("api", **core).copy(tmp_path / "app")
    let_root_serve(project)
    settings = {"DATABASE_URL": new_database(start_server(core["database"]), "api")}
    project.run("flask", "db", "upgrade", **settings)
    token = project.run("flask", "tokens", "add", "shop", **settings).split()[-1]

    with serve(project, settings) as site:
        run(
            schemathesis,
            "run",
            f"{site.url}/api/openapi.json",
            f"--header=Authorization: Bearer {token}",
            "--max-examples=30",
            # For JSON Schema 2.0 is an integer. The API takes only 2, as it refuses "2" and true.
            "--exclude-checks=positive_data_acceptance",
            "--seed=1",
            "--generation-database=none",
            folder=tmp_path,
        )
        sent = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{site.url}/api/items", headers=sent, timeout=5).ok
        project.run("flask", "tokens", "revoke", "shop", **settings)
        assert requests.get(f"{site.url}/api/items", headers=sent, timeout=5).status_code == 401
