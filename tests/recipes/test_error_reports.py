"""Error reports of workers and commands, to a server that takes them, or says nothing."""

import gzip
import json
import re
import signal
import time

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.edge import post
from tests.harness.processes import eventually
from tests.harness.recipes import gate
from tests.harness.sink import Sink, sink
from tests.harness.sites import SECONDS_TO_STOP, Site, let_root_serve, serve
from tests.recipes.conftest import Follow

# What gunicorn and uWSGI say when a worker begins to end.
ENDS = "Worker exiting|Gracefully killing worker"

FAILING = """
from flask import Blueprint
from .security import csrf
blueprint = Blueprint("failing", __name__)
csrf.exempt(blueprint)


@blueprint.post("/failing")
def fail() -> str:
    raise RuntimeError
"""


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("error-reports", **core), "error-reports", mypy_cache=mypy_cache)


@pytest.fixture(params=TWO_CORES, ids=label)
def project(request, follow: Follow, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    project = follow("error-reports", **request.param)
    project = project.copy(tmp_path_factory.mktemp("error-reports") / "app")
    let_root_serve(project)
    project.grow(FAILING, name="failing")
    # As in the image, which has none: the SDK would compress by it.
    (project.folder / "brotli.py").write_text("raise ImportError")
    return project


def settings(reports: Sink, project: Baked) -> dict[str, str]:
    return {
        "SENTRY_DSN": f"http://topsecret@{reports.address}/1",
        "GIT_COMMIT": "0a1b2c",
        "STAGE": "test",
        "SECRET_KEY": "a-random-key",
        "DATABASE_URL": f"{project.answers['database']}://user:topsecret@127.0.0.1:1/name",
    }


def events(reports: Sink) -> list[dict]:
    return [json.loads(gzip.decompress(body).splitlines()[2]) for _, body in reports.bodies]


def fail(site: Site) -> None:
    sent = {"Authorization": "topsecret", "Cookie": "topsecret", "X-Request-ID": "our-id"}
    url = f"{site.url}/failing?topsecret"
    assert post(url, headers=sent, data={"password": "topsecret"}).status_code == 500


def test_error_of_a_worker_is_reported_and_an_outage_is_not(project: Baked) -> None:
    with sink() as reports, serve(project, settings(reports, project)) as site:
        for _ in range(5):
            assert site.get("/readyz").status_code == 503
        fail(site)
        eventually(lambda: reports.bodies, "a report")
        log = site.log.read_text()

    [event] = events(reports)
    assert (event["release"], event["environment"]) == ("0a1b2c", "test")
    assert event["tags"] == {"request_id": "our-id"}
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert "topsecret" not in json.dumps(event)
    assert "topsecret" not in log
    assert "sentry_sdk" not in log  # which has warnings about how it is run


def test_worker_that_ends_sends_what_is_left(project: Baked) -> None:
    one = {"WEB_CONCURRENCY": "1"}
    with sink() as reports, serve(project, settings(reports, project) | one) as site:
        reports.answers.clear()
        fail(site)
        fail(site)
        eventually(lambda: len(reports.bodies) == 1, "the first report is on its way")
        site.process.send_signal(signal.SIGTERM)
        eventually(lambda: re.search(ENDS, site.log.read_text()), "the worker ends")
        reports.answers.set()
        assert site.process.wait(SECONDS_TO_STOP) == 0, site.log.read_text()

    assert len(events(reports)) == 2


def test_server_that_says_nothing_slows_no_request_and_no_end(project: Baked) -> None:
    with sink() as reports, serve(project, settings(reports, project)) as site:
        reports.answers.clear()
        start = time.monotonic()
        for _ in range(20):
            fail(site)
        assert time.monotonic() - start < 5
        site.stop()


def test_command_that_fails_is_reported(project: Baked) -> None:
    with sink() as reports:
        command = ("flask", "error-reports", "test")
        project.run(*command, fails=True, **settings(reports, project))

    [event] = events(reports)
    assert event["exception"]["values"][0]["value"] == "This is a test of error reports."
