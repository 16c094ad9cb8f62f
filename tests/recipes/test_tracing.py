"""Traces of workers, to a collector that takes them, or says nothing."""

import time

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.recipes import gate
from tests.harness.sink import sink
from tests.harness.sites import let_root_serve, serve
from tests.recipes.conftest import Follow


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("tracing", **core), "tracing", mypy_cache=mypy_cache)


@pytest.fixture(params=TWO_CORES, ids=label)
def project(request, follow: Follow, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    project = follow("tracing", **request.param)
    project = project.copy(tmp_path_factory.mktemp("tracing") / "app")
    let_root_serve(project)
    return project


def test_every_request_of_forked_workers_is_sent_but_health(project: Baked) -> None:
    with sink() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}"}
        with serve(project, settings) as site:
            names = [f"our-id-{number:02}" for number in range(40)]
            for name in names:
                assert site.get("/hello?topsecret", **{"X-Request-ID": name}).ok
                assert site.get("/healthz", **{"X-Request-ID": "of-health"}).ok
            site.stop()  # It sends what is left.

    assert {path for path, _ in collector.bodies} == {"/v1/traces"}
    sent = b"".join(body for _, body in collector.bodies)
    assert [name for name in names if name.encode() not in sent] == []
    assert sent.count(b"GET /hello") == len(names)
    assert b"of-health" not in sent
    assert b"topsecret" not in sent


def test_collector_that_says_nothing_slows_no_request_and_no_end(project: Baked) -> None:
    with sink() as collector:
        collector.answers.clear()
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}"}
        with serve(project, settings) as site:
            start = time.monotonic()
            for _ in range(40):
                assert site.get("/hello").ok
            assert time.monotonic() - start < 5
            site.stop()
