"""Redis: shared by two containers with two workers each, and away."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.harness import edge, redis_server
from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.machine import provide
from tests.harness.processes import eventually, free_port, run
from tests.harness.recipes import gate
from tests.harness.redis_server import Server
from tests.harness.sites import Site, let_root_serve, serve
from tests.recipes.conftest import Follow

WORKERS = 2
MOST = 20
VIEWS = f"""
import secrets

from flask import Blueprint, session

from . import security
from .cache import cached
from .limits import limit

blueprint = Blueprint("views", __name__)
security.csrf.exempt(blueprint)

@blueprint.get("/cached")
@cached(600)
def value() -> str:
    return secrets.token_hex()

@blueprint.get("/limited")
@limit({MOST}, seconds=600)
def limited() -> str:
    return ""

@blueprint.get("/name")
def name() -> str:
    return str(session.get("name"))

@blueprint.post("/name/<name>")
def log_in(name: str) -> str:
    session.clear()
    session["name"] = name
    return ""

@blueprint.post("/log-out")
def log_out() -> str:
    session.clear()
    return ""
"""


@pytest.fixture(scope="session", autouse=True)
def program(say: Callable[[str], None]) -> None:
    provide(redis_server.find, "Redis", say)


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server.server() as server:
        yield server


@pytest.fixture(scope="module", params=TWO_CORES, ids=label)
def project(
    request: pytest.FixtureRequest, follow: Follow, tmp_path_factory: pytest.TempPathFactory
) -> Baked:
    core: Answers = request.param
    project = follow("redis", **core).copy(tmp_path_factory.mktemp("redis") / "app")
    project.grow(VIEWS, name="views")
    let_root_serve(project)
    return project


def settings(server: Server) -> dict[str, str]:
    return {
        "STAGE": "live",
        "SECRET_KEY": "a-random-key",
        "DOMAIN": edge.DOMAIN,
        "REDIS_URL": server.url,
        "WEB_CONCURRENCY": str(WORKERS),
    }


def log_in(site: Site, name: str, **headers: str) -> dict[str, str]:
    """Return the header that tells who it is."""
    answer = edge.post(f"{site.url}/name/{name}", headers)
    assert answer.status_code == 200, answer.text
    return {"Cookie": f"session={answer.cookies['session']}"}


@pytest.mark.parametrize("real", [True, False], ids=["redis", "in-python"])
def test_gate(follow: Follow, server: Server, mypy_cache: str, real: bool) -> None:
    core = TWO_CORES[int(real)]
    url = {"TEST_REDIS_URL": server.url} if real else {}
    gate(follow("redis", **core), "redis", mypy_cache=mypy_cache, **url)


def test_workers_and_containers_share_all(project: Baked, server: Server) -> None:
    with ExitStack() as stack:
        sites = [stack.enter_context(serve(project, settings(server))) for _ in range(2)]

        def at_once(path: str, **headers: str) -> list[requests.Response]:
            with ThreadPoolExecutor(16) as visitors:
                return list(visitors.map(lambda n: sites[n % 2].get(path, **headers), range(40)))

        value = sites[0].get("/cached").text
        assert {answer.text for answer in at_once("/cached")} == {value}

        answers = at_once("/limited")
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses == {200: MOST, 429: 40 - MOST}
        waits = [int(answer.headers.get("Retry-After", 1)) for answer in answers]
        assert all(0 < wait <= 600 for wait in waits)
        assert sites[1].get("/limited", **{"X-Forwarded-For": "203.0.113.8"}).status_code == 200

        who = log_in(sites[0], "ann")
        assert {answer.text for answer in at_once("/name", **who)} == {"ann"}
        changed = log_in(sites[1], "bob", **who)
        assert {answer.text for answer in at_once("/name", **who)} == {"None"}
        assert {answer.text for answer in at_once("/name", **changed)} == {"bob"}
        edge.post(f"{sites[0].url}/log-out", changed)
        assert {answer.text for answer in at_once("/name", **changed)} == {"None"}

        assert 0 < server.clients() <= 2 * WORKERS * 4


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
def test_site_goes_on_without_the_server(project: Baked, server: Server, fault: str) -> None:
    with serve(project, settings(server)) as site:
        who = log_in(site, "ann")
        kept = site.get("/cached").text

        server.stop() if fault == "stopped" else server.freeze()
        begun = time.monotonic()
        for _ in range(20):
            for path in ("/cached", "/limited", "/name"):
                answer = site.get(path, **who)
                assert answer.status_code == 200
                assert answer.text not in {kept, "ann"}
            answer = edge.post(f"{site.url}/name/bob", who)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
        spent = time.monotonic() - begun
        # Half a second of each worker, of what lasts about a second, and each five seconds again.
        assert spent < 5, f"80 requests took {spent:.1f} s"
        lines = site.log.read_text().count("Redis is not asked for 5 seconds")
        assert 1 <= lines <= 2 * WORKERS

        if fault == "stopped":
            server.start()
            eventually(lambda: edge.post(f"{site.url}/name/bob").ok, "sessions begin", 20)
        else:
            server.thaw()
            eventually(lambda: site.get("/name", **who).text == "ann", "the session is back", 20)
            assert eventually(lambda: site.get("/cached").text == kept, "the value is back", 20)


def test_tls_is_checked(follow: Follow, tmp_path: Path) -> None:
    project = follow("redis", **TWO_CORES[0])
    key, certificate, port = tmp_path / "key", tmp_path / "certificate", free_port()
    run(
        *("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
    )
    options = [f"--tls-port {port}", "--tls-auth-clients no"]
    options += [f"--tls-key-file {key}", f"--tls-cert-file {certificate}"]
    trusted = {"SSL_CERT_FILE": str(certificate)}
    with redis_server.server(*options):
        for host, environ, line in [
            ("localhost", trusted, "ok      redis         answers"),
            ("localhost", {}, "FAILED  redis         Error 1 connecting"),
            ("127.0.0.1", trusted, "FAILED  redis         Error 1 connecting"),
        ]:
            url = {"REDIS_URL": f"rediss://{host}:{port}/0"}
            fails = line.startswith("FAILED")
            said = project.run("flask", "check", **url, **environ, fails=fails)
            assert line in said, f"{host} {environ}"
