"""Cron jobs on real databases, in processes of their own."""

import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.processes import eventually
from tests.harness.recipes import gate
from tests.recipes.conftest import Follow

SLOW = """
@blueprint.cli.command()
@once_at_a_time
def slow() -> None:
    print("begun", flush=True)
    import sys
    sys.stdin.read()
"""


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("cron", **core), "cron", mypy_cache=mypy_cache)


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_one_runs_at_a_time_and_a_killed_one_leaves_no_lock(
    core: Answers, follow: Follow, start_server: Callable[[str], str], tmp_path_factory
) -> None:
    project = follow("cron", **core).copy(tmp_path_factory.mktemp("cron") / "app")
    with (project.folder / project.package / "cron.py").open("a") as module:
        module.write(SLOW)
    settings = {"DATABASE_URL": new_database(start_server(core["database"]), "cron")}
    command = [project.bin / "flask", "cron", "slow"]
    first = subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment(**settings),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with first:
        assert first.stdout.readline() == "begun\n"
        said = project.run(*command, **settings)
        assert "slow runs already." in said
        assert "begun" not in said
        first.send_signal(signal.SIGKILL)
        first.wait(10)

    eventually(lambda: "begun" in project.run(*command, **settings), "the lock is free", 20)
