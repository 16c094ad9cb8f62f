"""The deployment of the pipelines, with the real divio-cli, up to Divio's API."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import DIVIO_CLI, Bake
from tests.harness.control_panel import APPLICATION, TOKEN, ControlPanel, control_panel
from tests.harness.pipelines import BASH, github_workflow, gitlab_pipeline, holds
from tests.harness.processes import environment, finish

SETTINGS = {"DIVIO_TOKEN": TOKEN, "DIVIO_WEBSITE_ID": APPLICATION}

Deploy = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def github(bake: Bake) -> dict:
    return github_workflow(bake(ci="github"), "ci")


@pytest.fixture(scope="session")
def gitlab(bake: Bake) -> dict:
    return gitlab_pipeline(bake(ci="gitlab"))


@pytest.fixture
def deploy(github: dict, divio: Path, tmp_path: Path) -> Deploy:
    """Run the step that deploys."""
    # It looks for a newer release once a day.
    settings = tmp_path / ".config" / "divio" / "config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"update_check_timestamp": int(time.time())}))
    common = environment(divio.parent) | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    [step] = [step for step in github["jobs"]["deploy"]["steps"] if "env" in step]

    def deploy(panel: ControlPanel, **variables: str) -> CompletedProcess[str]:
        env = common | panel.environment | SETTINGS | variables
        return finish(*BASH, "-c", step["run"], folder=tmp_path, env=env)

    return deploy


def test_it_deploys_to_test_and_waits(deploy: Deploy) -> None:
    with control_panel(True) as panel:
        done = deploy(panel)

    assert (done.returncode, panel.started) == (0, ["deployment-0"]), done
    assert panel.ended == {"deployment-0"}
    assert TOKEN not in done.stdout + done.stderr


def test_it_fails_where_the_deployment_fails(deploy: Deploy) -> None:
    with control_panel(False) as panel:
        done = deploy(panel)

    assert done.returncode == 1, done
    assert "Deployment failed. Please run 'divio app deploy-log test'" in done.stderr


def test_it_deploys_after_a_deployment_that_is_under_way(deploy: Deploy) -> None:
    with control_panel(True, True) as panel:
        panel.begin()
        done = deploy(panel)

    assert (done.returncode, panel.started) == (0, ["deployment-1"]), done
    assert panel.ended == {"deployment-0", "deployment-1"}


@pytest.mark.parametrize(
    ("token", "told"),
    [("", "DIVIO_TOKEN: is not set"), ("wrong", "Login failed. Invalid token specified")],
)
def test_it_tells_what_is_wrong_with_the_token(deploy: Deploy, token: str, told: str) -> None:
    with control_panel() as panel:
        done = deploy(panel, DIVIO_TOKEN=token)

    assert (done.returncode, panel.started) == (1, []), done
    assert told in done.stderr, done


def test_both_run_the_same_lines_with_the_release_that_is_tested_here(
    github: dict, gitlab: dict
) -> None:
    install, deploy = [step["run"] for step in github["jobs"]["deploy"]["steps"]]

    assert [install.split()[-1], deploy] == [f"divio-cli=={DIVIO_CLI}", deploy]
    assert gitlab["deploy"]["script"] == [f"pip install --quiet divio-cli=={DIVIO_CLI}", deploy]


@pytest.mark.parametrize(
    ("event", "branch", "website", "deploys"),
    [
        ("push", "main", APPLICATION, True),
        ("push", "main", "", False),
        ("push", "idea", APPLICATION, False),
        ("pull_request", "", APPLICATION, False),
        ("schedule", "main", APPLICATION, False),
    ],
)
def test_it_runs_on_main_alone_and_only_where_it_is_set_up(
    github: dict, gitlab: dict, event: str, branch: str, website: str, deploys: bool
) -> None:
    condition = github["jobs"]["deploy"]["if"]
    values = {"github.event_name": event, "vars.DIVIO_WEBSITE_ID": website}
    branches = {"push": github["on"]["push"]["branches"], "pull_request": [""]}
    runs = branch in branches.get(event, [])
    assert (runs and holds(condition, **values)) == deploys

    [rule] = gitlab["deploy"]["rules"]
    values = {"$CI_COMMIT_BRANCH": branch, "$CI_DEFAULT_BRANCH": "main"}
    values |= {"$CI_PIPELINE_SOURCE": event, "$DIVIO_WEBSITE_ID": website}
    assert holds(rule["if"], **values) == deploys


def test_it_comes_after_the_check_one_at_a_time_and_is_not_interrupted(
    github: dict, gitlab: dict
) -> None:
    interrupts = github["concurrency"]["cancel-in-progress"]
    assert github["jobs"]["deploy"]["needs"] == "check"
    assert not holds(interrupts, **{"github.event_name": "push"})
    assert holds(interrupts, **{"github.event_name": "pull_request"})

    assert gitlab["check"].get("stage", "test") == "test"
    assert gitlab["deploy"]["stage"] == "deploy"
    assert gitlab["deploy"]["resource_group"]
    assert "interruptible" not in gitlab["deploy"]


def test_nothing_but_the_step_that_deploys_sees_the_token(github: dict) -> None:
    job = github["jobs"]["deploy"]
    [step] = [step for step in job["steps"] if "env" in step]

    assert set(step["env"]) == set(SETTINGS)
    assert json.dumps(github).count("secrets.") == 1
    assert json.dumps(step).count("secrets.DIVIO_TOKEN") == 1
    assert github["permissions"] == {}
    assert "permissions" not in job
