"""The image of each core combination, by itself."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.harness import edge
from tests.harness.choices import CORES, PAIRED_CORES, TWO_CORES, label
from tests.harness.edge import DOMAIN
from tests.harness.engine import PREFIX, Container, container, docker, inspect
from tests.harness.images import Image
from tests.harness.processes import environment, eventually, run

DEPLOYED = ("--env=STAGE=test", "--env=SECRET_KEY=secret", f"--env=DOMAIN={DOMAIN}")
READ_ONLY = ("--user=12345", "--env=PORT=8000", "--read-only")
LARGEST_RATIO = 1.15

# Most depends on the gateway server alone.
pytestmark = pytest.mark.sample(TWO_CORES)
depends_on_requirements = pytest.mark.sample(PAIRED_CORES)


@pytest.fixture(scope="session")
def web(image: Image) -> Iterator[Container]:
    with container(image.name, options=DEPLOYED) as web:
        eventually(web.is_answering, "the first answer")
        yield web


@depends_on_requirements
def test_first_answer_is_the_page(image: Image) -> None:
    with container(image.name, options=DEPLOYED) as web:
        [first] = eventually(lambda: [web.get("/")], "an answer on /")

    assert first.status_code == 200, image.baked


@depends_on_requirements
def test_is_hardly_larger_than_what_it_needs(image: Image) -> None:
    over, needed = image.size_over_base(), image.size_needed()

    assert over / needed <= LARGEST_RATIO, f"{image.baked}: {over} over base, {needed} needed"


def test_probe_by_address_passes(web: Container) -> None:
    assert edge.probe(web.url).status_code < 500


def test_needs_no_setting(image: Image) -> None:
    with container(image.name) as web:
        eventually(lambda: edge.probe(web.url).status_code == 200, "an answer on /")


def test_runs_read_only_as_any_user(image: Image) -> None:
    with container(image.name, options=(*DEPLOYED, *READ_ONLY), port=8000) as web:
        eventually(lambda: web.get("/").status_code == 200, "an answer on /")

        assert web.get("/probe/request").json()["user"] == 12345
        assert web.stop() == 0


def test_port_may_be_blank(image: Image) -> None:
    blank = ("--env=PORT= ", "--env=WEB_CONCURRENCY= ")
    with container(image.name, options=(*DEPLOYED, *blank)) as web:
        eventually(web.is_answering, "an answer")


PRIVILEGES = """
import glob, re
for status in glob.glob("/proc/[0-9]*/status"):
    text = open(status).read()
    if re.search(r"^PPid:\\s+1$", text, re.M):
        fields = "Uid", "Gid", "Groups", "CapEff"
        print(*(re.search(rf"^{name}:(.*)$", text, re.M)[1].split() for name in fields))
"""


def test_workers_have_no_privileges(image: Image, web: Container) -> None:
    workers = web.execute("python", "-c", PRIVILEGES).splitlines()

    assert len(workers) >= 2
    for worker in workers:
        uid, gid, groups, capabilities = re.findall(r"\[(.*?)\]", worker)
        assert uid == gid == "'33', '33', '33', '33'"
        assert groups in {"", "'33'"}
        assert int(capabilities.strip("'"), 16) == 0


def test_workers_can_change_nothing_but_media_and_temporary_files(web: Container) -> None:
    find = "find / -xdev -writable ! -type l 2>/dev/null; true"
    worker = ["setpriv", "--reuid=33", "--regid=33", "--clear-groups", "sh", "-c"]
    writable = web.execute(*worker, find)

    allowed = re.compile(r"/tmp|/var/tmp|/run/lock|/data(/media)?|/var/mail")
    assert [path for path in writable.splitlines() if not allowed.match(path)] == []


@depends_on_requirements
def test_holds_what_it_needs_and_nothing_else(image: Image, web: Container) -> None:
    names = set(web.execute("sh", "-c", "cd /app && ls -A").splitlines())

    server = {
        "gunicorn": {"gunicorn.conf.py", "gunicorn_worker.py"},
        "uwsgi": {"uwsgi.ini", "uwsgi_app.py"},
    }[image.baked.answers["gateway_server"]]
    ours = {image.baked.package, "migrations", "request_limits.py", "requirements.txt"}
    assert names - {"__pycache__"} == ours | server
    assert web.execute("find", "/data") == "/data\n/data/media"
    for pattern in (".git*", "test_*", ".env*", "*.sqlite", "Dockerfile"):
        assert web.execute("find", "/app", "-name", pattern) == ""
    installed = web.execute("sh", "-c", "ls /opt/venv/bin /opt/venv/lib/python*/site-packages")
    storage = image.baked.answers["media_storage"]
    libraries = {"s3": "boto", "azure": "azure"}
    others = [prefix for value, prefix in libraries.items() if value != storage]
    unneeded = "|".join(["pip", "setuptools", "brotli", "pytest", "mypy", *others])
    assert not re.search(rf"^({unneeded})", installed, re.MULTILINE | re.I)
    assert web.execute("find", "/usr/bin", "-name", "*gcc*") == docker(
        "run", "--rm", image.base, "find", "/usr/bin", "-name", "*gcc*"
    )


STALE = """
import compileall, importlib.util, pathlib, sys
for root in sys.argv[1:]:
    for path in pathlib.Path(root).rglob("*.py"):
        cache = pathlib.Path(importlib.util.cache_from_source(path))
        if not cache.exists():
            print("missing:", path)
        elif int.from_bytes(cache.read_bytes()[8:12], "little") != int(path.stat().st_mtime):
            print("stale:", path)
"""


@depends_on_requirements
def test_bytecode_is_compiled(web: Container) -> None:
    wrong = web.execute("python", "-c", STALE, "/app", "/opt/venv").splitlines()

    # What is compiled for other uses than to be imported: templates of projects.
    assert [line for line in wrong if "/templates/" not in line] == []


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_static_files_are_hashed_and_compressed(web: Container, encoding: str) -> None:
    path = re.search(r"/static/style\.[0-9a-f]{12}\.css", web.get("/").text)[0]
    answer = web.get(path, **{"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding
    assert "immutable" in answer.headers["Cache-Control"]


def test_says_how_it_is_run(image: Image) -> None:
    config = inspect(image.name, "image")["Config"]

    assert not config.get("Entrypoint")
    assert not config.get("User")
    assert list(config["ExposedPorts"]) == ["80/tcp"]
    assert config["Cmd"][0] in {"sh", "uwsgi"}
    assert f"FLASK_APP={image.baked.package}:create_app()" in config["Env"]
    labels = {key.rpartition("image.")[2]: value for key, value in config["Labels"].items()}
    assert labels["title"] == "my-flask-app"
    assert labels["description"] == "A Flask application on Divio."
    assert labels["base.name"].endswith(image.base)


@pytest.mark.parametrize(
    "command",
    [
        ["flask", "db", "upgrade"],
        ["/opt/venv/bin/flask", "routes"],
        ["sh", "-c", "flask --version && id"],
        ["python", "--version"],
    ],
    ids=lambda command: command[0],
)
def test_any_command_takes_the_place_of_the_server(image: Image, command: list[str]) -> None:
    docker("run", "--rm", *DEPLOYED, image.name, *command)


def test_unusable_settings_stop_it_with_a_message(image: Image) -> None:
    said = docker("run", "--rm", "--env=STAGE=live", image.name, fails=True, timeout=60)

    assert "SECRET_KEY" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("port", ["", "8000", " 8000 "])
def test_health_check_asks_the_server_at_its_port(image: Image, port: str) -> None:
    number = int(port.strip() or 80)
    with container(image.name, options=(f"--env=PORT={port}",), port=number) as web:
        eventually(web.is_answering, "an answer")

        web.execute(*image.health_check())


def test_health_check_can_fail(image: Image) -> None:
    check = ["sh", "-c", '"$@"; test $? = 1', "check", *image.health_check()]

    assert "Connection refused" in docker("run", "--rm", image.name, *check)


def stop_with(web: Container, *paths: str) -> tuple[list[str | BaseException], int]:
    """Stop it while requests are under way; return what came of them and its exit status."""
    eventually(web.is_answering, "an answer")
    with ThreadPoolExecutor() as pool:
        pending = [pool.submit(web.get, path) for path in paths]
        eventually(lambda: web.logs().count("begun /probe/") == len(paths), "requests under way")
        status = web.stop()
        outcomes = [answer.exception() or answer.result().text for answer in pending]
    return outcomes, status


def test_stop_lets_requests_finish(image: Image) -> None:
    with container(image.name, options=DEPLOYED) as web:
        outcomes, status = stop_with(web, *["/probe/slow?seconds=4"] * 6)

    assert outcomes == ["done"] * 6, image.baked
    assert status == 0, image.baked


def test_stop_does_not_wait_for_ever(image: Image) -> None:
    # gunicorn gives up on a request after 8 seconds. uWSGI waits for all that it has begun, and
    # has no setting against it, so Docker ends it after 10: the others are finished by then.
    with container(image.name, options=DEPLOYED) as web:
        (short, long), status = stop_with(web, "/probe/slow?seconds=7", "/probe/slow?seconds=20")

    assert short == "done", image.baked
    assert isinstance(long, requests.ConnectionError), f"{image.baked}: {long!r}"
    assert status == {"gunicorn": 0, "uwsgi": 137}[image.baked.answers["gateway_server"]], (
        image.baked
    )


@pytest.mark.parametrize("answers", TWO_CORES, ids=label, indirect=True)
def test_classic_builder_makes_the_same(image: Image) -> None:
    tag = f"{image.name}-classic"
    without = environment() | {"DOCKER_BUILDKIT": "0"}
    run("docker", "build", "--tag", tag, image.baked.folder, env=without, timeout=900)

    with container(tag, options=DEPLOYED) as web:
        eventually(web.is_answering, "an answer")
        assert web.execute("python", "-c", STALE, "/app", "/opt/venv") == ""
        files = "find /app /opt/venv -printf '%P %M %u\\n' | sort"
        assert web.execute("sh", "-c", files) == docker(
            "run", "--rm", image.name, "sh", "-c", files
        )


@pytest.mark.parametrize("answers", CORES[:1], ids=label, indirect=True)
def test_change_of_source_installs_nothing(image: Image) -> None:
    source = image.baked.folder / image.baked.package / "pages.py"
    original = source.read_text()
    # As never before, or the engine might still have the image of an earlier run.
    source.write_text(f"{original}# {PREFIX}\n")
    try:
        said = docker("build", "--progress=plain", str(image.baked.folder))
    finally:
        source.write_text(original)

    step = re.search(r"^#(\d+) \[build .*pip .*install", said, re.MULTILINE)[1]
    assert f"#{step} CACHED" in said
    step = re.search(r"^#(\d+) \[build .*whitenoise", said, re.MULTILINE)[1]
    assert f"#{step} CACHED" not in said
