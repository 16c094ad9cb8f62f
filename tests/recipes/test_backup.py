"""Backups on real databases, by their own programs."""

import os
from collections.abc import Callable

import pytest

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import SERVERS_OF_DEBIAN, new_database
from tests.harness.recipes import gate
from tests.recipes.conftest import Follow


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(
    core: Answers, follow: Follow, mypy_cache: str, start_server: Callable[[str], str]
) -> None:
    project = follow("backup", **core)
    url = new_database(start_server(core["database"]), "backup")
    path = os.pathsep.join([str(project.bin), *map(str, SERVERS_OF_DEBIAN), os.environ["PATH"]])

    said = gate(project, "backup", mypy_cache=mypy_cache, TEST_DATABASE_URL=url, PATH=path)

    assert "SKIPPED" not in said
