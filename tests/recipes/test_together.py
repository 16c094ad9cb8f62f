"""All recipes in one project: none stands in the way of another."""

from collections.abc import Callable

import pytest

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.recipes import NAMES
from tests.recipes.conftest import Follow


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_project_passes_its_own_gate(
    core: Answers, follow: Follow, start_server: Callable[[str], str], mypy_cache: str
) -> None:
    project = follow(*NAMES, **core)

    url = new_database(start_server(core["database"]), "together")
    settings = {"TEST_DATABASE_URL": url, "MYPY_CACHE_DIR": mypy_cache}
    project.run("make", "--old-file=install", "check", **settings)
