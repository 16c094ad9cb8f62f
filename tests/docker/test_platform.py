"""What Divio does with an image, in its order, with each core combination."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.harness import edge
from tests.harness.azurite import MAKE_CONTAINER, dsn_of
from tests.harness.choices import PAIRED_CORES
from tests.harness.databases import PORTS, in_container, new_database, url_of
from tests.harness.edge import ADDRESS, DOMAIN
from tests.harness.engine import PREFIX, Container, docker, load
from tests.harness.images import Environment, Image
from tests.harness.load import assert_none_is_lost
from tests.harness.processes import eventually

PICTURE = bytes(range(256)) * 4096
SECONDS_TO_RECOVER = 20
# Where a network reaches this machine.
GATEWAY = "{{ (index .IPAM.Config 0).Gateway }}"

pytestmark = pytest.mark.sample(PAIRED_CORES)


def url_inside(server: Container, kind: str) -> str:
    """Return where the network has the databases of a server, up to the last slash."""
    return url_of(kind, f"{server.name}:{PORTS[kind]}")


@pytest.fixture(scope="session")
def site(
    image: Image,
    network: str,
    start_database: Callable[[str], Container],
    s3: Container,
    request: pytest.FixtureRequest,
) -> Environment:
    core, answers = str(image.baked), image.baked.answers
    storage = "file:///data/media/?url=%2Fmedia%2F"
    if answers["media_storage"] == "s3":
        eventually(lambda: requests.put(f"{s3.url}/{core}", timeout=10).ok, "a bucket")
        storage = f"s3://key:sec%2Fret@{core}/prefix?endpoint=http%3A%2F%2F{s3.name}%3A5000"
    if answers["media_storage"] == "azure":
        address = docker("network", "inspect", "--format", GATEWAY, network)
        storage = dsn_of(core, address, request.getfixturevalue("azurite"))
        in_network = f"--network={network}"
        docker("run", "--rm", in_network, image.name, "python", "-c", MAKE_CONTAINER, storage)
    kind = answers["database"]
    database = start_database(kind)
    new_database(url_of(kind, database.address), core)
    settings = {
        "STAGE": "test",
        "SECRET_KEY": "the-secret-key",
        "DATABASE_URL": f"{url_inside(database, kind)}/{core}",
        "DEFAULT_STORAGE_DSN": storage,
        "DOMAIN": DOMAIN,
    }
    return Environment(image, network, settings)


@pytest.fixture(scope="session")
def released(site: Environment) -> Environment:
    """The environment after its release command."""
    site.command("flask", "db", "upgrade")
    return site


@pytest.fixture(scope="session")
def web(released: Environment) -> Iterator[Container]:
    with released.server() as web:
        eventually(web.is_answering, "the first answer")
        yield web


def test_release_command_can_be_repeated(released: Environment) -> None:
    released.command("/opt/venv/bin/flask", "db", "upgrade")


def test_check_finds_all_well(released: Environment) -> None:
    said = released.command("flask", "check")

    assert said.count("ok ") == 6
    assert "FAILED" not in said


@pytest.mark.parametrize(
    ("path", "host", "scheme", "status"),
    [
        ("/", ADDRESS, "http", 400),
        ("/", DOMAIN, "https", 200),
        ("/", DOMAIN, "http", 302),
        ("/", "evil.example", "https", 400),
        ("/healthz", ADDRESS, "http", 200),
        ("/readyz", ADDRESS, "http", 200),
        ("/probe/rows", DOMAIN, "https", 200),
    ],
)
def test_request_gets_its_answer(
    web: Container, path: str, host: str, scheme: str, status: int
) -> None:
    assert web.get(path, Host=host, **{"X-Forwarded-Proto": scheme}).status_code == status


def test_forwarded_headers_are_believed_once(web: Container) -> None:
    seen = web.get("/probe/request", **{"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}).json()

    assert seen["client"] == "203.0.113.7"
    assert seen["url"] == f"https://{DOMAIN}/probe/request"


def test_media_goes_there_and_back(web: Container, s3: Container) -> None:
    answer = edge.post(f"{web.url}/probe/media", files={"file": PICTURE})
    url = answer.text
    assert answer.status_code == 200, url

    if url.startswith("/"):
        read = web.get(url)
    else:
        read = requests.get(url.replace(f"http://{s3.name}:5000", s3.url), timeout=30)

    assert read.content == PICTURE
    assert read.headers["Content-Type"] == "image/png"


def test_log_tells_of_requests_and_no_secret(released: Environment, web: Container) -> None:
    web.get("/hello?secret=s")
    said = web.logs()

    assert re.search(r"GET /hello 200 \d+ ms", said)
    for secret in (
        "the-secret-key",
        "sec%2Fret",
        "sec/ret",
        "storage%2Fsecret",
        "storage/secret",
        "secret=s",
    ):
        assert secret not in said


def test_stop_under_load_fails_no_request(released: Environment) -> None:
    with released.server() as web:
        eventually(web.is_answering, "the first answer")
        image, network = released.image.name, released.network
        paths = ("/hello", "/probe/rows", "/probe/slow?seconds=0.3")
        with load(image, network, web.name, *paths) as answers:
            eventually(lambda: web.logs().count(" 200 ") > 100, "load")
            status = web.stop()

        said = web.logs()

    assert_none_is_lost(answers, said)
    assert status == 0


def test_connection_lost_after_the_last_query_spoils_no_answer(web: Container) -> None:
    # More often than the pool has connections: none of them may stay in use.
    answers = [web.get("/probe/lost") for _ in range(12)]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "done")] * 12
    assert web.get("/probe/rows").status_code == 200


def test_restart_of_the_database_is_survived(network: str, released: Environment) -> None:
    image, kind = released.image, released.image.baked.answers["database"]
    name = f"{PREFIX}-restarted-{image.baked}"
    with in_container(kind, f"--network={network}", name=name) as database:
        site = Environment(
            image, network, released.settings | {"DATABASE_URL": f"{url_inside(database, kind)}/db"}
        )
        site.command("flask", "db", "upgrade")
        with site.server() as web:
            eventually(lambda: web.get("/readyz").status_code == 200, "the database in use")
            paths = ("/hello", "/probe/rows")
            with load(image.name, network, web.name, *paths) as answers:
                eventually(lambda: web.logs().count("/probe/rows 200") > 50, "load")
                docker("restart", "--time=5", name)
                eventually(database.is_healthy, "the database is healthy")
                recovered = time.monotonic()
                counts = lambda: web.get("/probe/rows").status_code == 200  # noqa: E731
                eventually(counts, "recovery", SECONDS_TO_RECOVER)
            # More at once than connections of all workers: a stuck pool would show.
            with ThreadPoolExecutor(48) as pool:
                statuses = list(pool.map(lambda _: web.get("/probe/rows").status_code, range(96)))

        assert statuses == [200] * 96, f"{time.monotonic() - recovered:.1f} s after recovery"
        assert set(answers["/hello"]) == {"200"}, answers
        assert set(answers["/probe/rows"]) <= {"200", "503"}, answers
        assert answers["/probe/rows"]["200"] > 50, answers


def test_database_may_come_later(network: str, released: Environment) -> None:
    name = f"{PREFIX}-later-{released.image.baked}"
    kind = released.image.baked.answers["database"]
    with released.server(DATABASE_URL=f"{url_of(kind, name)}/db") as web:
        eventually(web.is_answering, "the first answer")
        assert web.get("/").status_code == 200
        answer = web.get("/readyz")
        assert answer.status_code == 503
        assert "database: failed" in answer.text
        assert "media: ok" in answer.text

        with in_container(kind, f"--network={network}", name=name):
            eventually(lambda: web.get("/readyz").status_code == 200, "the database in use")
