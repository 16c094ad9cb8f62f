"""The local stack of each core combination, as an owner uses it."""

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.docker.conftest import BuildImage
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.engine import inspect, load
from tests.harness.images import Image
from tests.harness.processes import eventually, run
from tests.harness.stacks import DEVELOPMENT, OWNER, PRODUCTION, Stack, stack_of

PICTURE = bytes(range(256)) * 4096
on_two_cores = pytest.mark.parametrize("answers", TWO_CORES, ids=label, indirect=True)

# It depends on the database and, behind nginx, on the gateway server.
pytestmark = pytest.mark.sample(TWO_CORES)


@pytest.fixture(scope="session")
def development(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("development")
    with stack_of(image.baked, folder, DEVELOPMENT) as stack:
        yield stack


@pytest.mark.parametrize("file", [DEVELOPMENT, PRODUCTION])
def test_compose_file_is_valid(image: Image, file: str) -> None:
    config = ["docker", "compose", "--file", file, "config", "--format=json"]
    web = json.loads(run(*config, folder=image.baked.folder))["services"]["web"]

    assert [(port["target"], port["published"]) for port in web["ports"]] == [(80, "8000")]


def test_starts_when_the_database_is_healthy_and_migrates(development: Stack) -> None:
    [database], [web] = development.containers("database_default"), development.containers("web")
    healthy = inspect(database.name)["State"]["Health"]["Log"][0]["End"]

    assert inspect(database.name)["State"]["Health"]["Status"] == "healthy"
    assert healthy[:19] <= inspect(web.name)["State"]["StartedAt"][:19]
    assert development.shows("all applied")
    assert development.get("/probe/rows").text == "0"


def test_addresses_are_told(development: Stack) -> None:
    port = {"postgres": "5432", "mysql": "3306"}[development.baked.answers["database"]]
    host, _, published = development.compose("port", "database_default", port).partition(":")

    assert f"The site is at {development.url}," in development.compose("logs", "web")
    assert host == "127.0.0.1", "it has no password"
    socket.create_connection((host, int(published))).close()


def test_stops_when_asked_and_starts_again(development: Stack) -> None:
    [web] = development.containers("web")
    development.compose("stop", "web")
    status = inspect(web.name)["State"]["ExitCode"]
    development.compose("start", "web")
    eventually(lambda: development.get("/").status_code == 200, "the page")

    assert status != 137, f"{development.baked}: Docker had to kill it"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("templates/welcome.html", "{% block main %}", "{% block main %}The new template."),
        ("pages.py", "Hello, World!", "The new code."),
        ("static/style.css", "body {", "/* The new style. */ body {"),
    ],
    ids=lambda value: value if "/" in value or ".py" in value else "",
)
def test_change_is_seen(development: Stack, file: str, old: str, new: str) -> None:
    path = development.baked.folder / development.baked.package / file
    text = path.read_text()
    assert old in text, file
    path.write_text(text.replace(old, new, 1))
    page = {".html": "/", ".py": "/hello", ".css": "/static/style.css"}[path.suffix]

    eventually(lambda: development.shows(new.partition("The")[2].split(".")[0], page), new)


def test_media_is_in_the_folder(development: Stack) -> None:
    upload = {"file": PICTURE}
    url = requests.post(f"{development.url}/probe/media", files=upload, timeout=30).text

    assert url == "/media/probe/picture.png"
    assert (development.baked.folder / "data/media/probe/picture.png").read_bytes() == PICTURE
    assert development.get(url).content == PICTURE


def test_new_files_belong_to_the_owner(development: Stack) -> None:
    as_owner = ["exec", "--no-TTY", f"--user={OWNER}"]
    # No model has the table of the tests.
    development.compose(*as_owner, "web", "flask", "db", "migrate", "-m", "Drop")
    requests.post(f"{development.url}/probe/media", files={"file": b"x"}, timeout=30)

    files = list(development.baked.folder.rglob("*"))
    assert [path for path in files if path.name.endswith("_drop.py")]
    assert [path for path in files if path.lstat().st_uid != OWNER] == []


def test_root_may_still_change_owners(development: Stack) -> None:
    """As `divio app pull media` does."""
    development.compose("run", "--rm", "web", "chown", str(OWNER), "/data")


@on_two_cores
def test_change_of_dependencies_rebuilds(image: Image, tmp_path: Path) -> None:
    with stack_of(image.baked, tmp_path, DEVELOPMENT) as stack:
        [before] = stack.containers("web")
        old = inspect(before.name)["Image"]
        command = ["docker", "compose", "watch", "--no-up"]
        log = (tmp_path / "watch.log").open("w+")
        with subprocess.Popen(
            command, cwd=stack.baked.folder, env=stack.environment, stdout=log, stderr=log
        ) as watch:
            try:
                eventually(lambda: "Watch enabled" in Path(log.name).read_text(), "watch")
                with (stack.baked.folder / "requirements.txt").open("a") as requirements:
                    requirements.write("# changed\n")
                eventually(lambda: images(stack) not in ([], [old]), "a new image", 120)
                eventually(lambda: stack.get("/").status_code == 200, "the page")
            except AssertionError as error:
                error.add_note(Path(log.name).read_text())
                raise
            finally:
                watch.terminate()
                watch.wait(20)
                log.close()


def images(stack: Stack) -> list[str]:
    return [inspect(web.name)["Image"] for web in stack.containers("web")]


@on_two_cores
def test_production_image_runs_as_on_divio(image: Image, tmp_path: Path) -> None:
    with stack_of(image.baked, tmp_path, PRODUCTION) as stack:
        [web] = stack.containers("web")
        details = inspect(web.name)

        assert {mount["Type"] for mount in details["Mounts"]} == {"volume"}
        assert details["Config"]["Cmd"] == inspect(details["Image"], "image")["Config"]["Cmd"]
        assert list(details["NetworkSettings"]["Ports"]) == ["80/tcp"]
        assert "all applied" not in stack.get("/").text, "the state is for development"
        assert stack.get("/probe/request").json()["user"] == 33
        assert stack.get("/readyz").text == "database: ok\nmedia: ok\n"


@pytest.fixture(scope="session")
def edge(
    answers: Answers, build: BuildImage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    image = build(**answers, reverse_proxy="nginx")
    with (image.baked.folder / ".env-local").open("a") as settings:
        settings.write("REQUEST_TIMEOUT=60\n")  # nginx gives up before
    folder = tmp_path_factory.mktemp("edge")
    with stack_of(image.baked, folder, PRODUCTION, "--scale=web=3") as stack:
        seen = set()

        def balances() -> bool:
            seen.add(stack.get("/probe/session").json()["replica"])
            return len(seen) == 3

        eventually(balances, "three replicas")
        yield stack


def test_replicas_share_a_session(edge: Stack) -> None:
    session = requests.Session()
    answers = [session.get(f"{edge.url}/probe/session", timeout=30).json() for _ in range(12)]

    assert [answer["visits"] for answer in answers] == list(range(1, 13))
    assert len({answer["replica"] for answer in answers}) == 3


def test_edge_speaks_the_protocol_of_the_server(edge: Stack) -> None:
    [nginx] = edge.containers("nginx")
    config = nginx.execute("cat", "/etc/nginx/nginx.conf")
    uwsgi = edge.baked.answers["gateway_server"] == "uwsgi"

    assert edge.get("/probe/request").json()["uwsgi"] == uwsgi
    assert ("uwsgi_pass" in config) == uwsgi
    assert ("proxy_pass" in config) != uwsgi


def test_edge_forwards_what_divio_forwards(edge: Stack) -> None:
    forged = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}
    seen = edge.get("/probe/request?a=b", **forged).json()

    [nginx] = edge.containers("nginx")
    networks = inspect(nginx.name)["NetworkSettings"]["Networks"].values()
    assert seen["client"] in {network["Gateway"] for network in networks}
    assert seen["url"] == f"{edge.url}/probe/request?a=b"


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
def test_static_file_passes_the_edge(edge: Stack, encoding: str) -> None:
    path = re.search(r"/static/style\.[0-9a-f]{12}\.css", edge.get("/").text)[0]
    answer = edge.get(path, **{"Accept-Encoding": encoding})

    assert answer.headers.get("Content-Encoding", "identity") == encoding
    assert "immutable" in answer.headers["Cache-Control"]


def test_media_passes_the_edge(edge: Stack) -> None:
    upload = {"file": PICTURE}
    url = requests.post(f"{edge.url}/probe/media", files=upload, timeout=30).text
    answers = [edge.get(url) for _ in range(3)]

    assert [answer.content == PICTURE for answer in answers] == [True] * 3
    assert answers[0].headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("megabytes", "server"),
    [(501, "nginx"), (101, "application")],
)
def test_body_that_is_too_large_is_refused(edge: Stack, megabytes: int, server: str) -> None:
    if server == "nginx":  # from its length alone
        connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=30)
        connection.putrequest("POST", "/probe/size")
        connection.putheader("Content-Length", str(megabytes * 2**20))
        connection.endheaders()
        answer = connection.getresponse()
        status, page = answer.status, answer.read().decode()
    else:
        body = b"0" * (megabytes * 2**20)
        answer = requests.post(f"{edge.url}/probe/size", data=body, timeout=60)
        status, page = answer.status_code, answer.text

    assert status == 413
    assert ("nginx" in page) == (server == "nginx")


def test_large_body_passes_the_edge(edge: Stack) -> None:
    files = {"file": b"0" * (90 * 2**20)}
    answer = requests.post(f"{edge.url}/probe/size", files=files, timeout=60)

    assert answer.text == str(90 * 2**20)


@on_two_cores
def test_edge_gives_up_on_a_slow_answer(edge: Stack) -> None:
    started = time.monotonic()
    status = edge.get("/probe/slow?seconds=33").status_code

    assert status == 504, edge.baked
    assert time.monotonic() - started > 29, edge.baked


def test_replica_that_stops_under_load_fails_no_request(edge: Stack, image: Image) -> None:
    web = edge.containers("web")[0]
    network = f"{edge.name}_default"
    paths = ("/probe/slow?seconds=0.2", "/probe/rows")
    with load(image.name, network, "nginx", *paths, site="127.0.0.1") as answers:
        eventually(lambda: web.logs().count(" 200 ") > 50, "load on the replica")
        status = web.stop()

    assert [set(counts) for counts in answers.values()] == [{"200"}] * 2, answers
    assert status == 0
    edge.compose("up", "--detach", "--scale=web=3")
