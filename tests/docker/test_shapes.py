"""Applications with the traits of real ones run, with no more than what the bake says."""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from tests.harness.baked import Baked
from tests.harness.choices import label
from tests.harness.engine import docker
from tests.harness.existing import SHAPES, Shape, bake, follow, make_shape
from tests.harness.processes import eventually
from tests.harness.stacks import DEVELOPMENT, OWNER, PRODUCTION, Stack, stack_of

DUMP = {
    "postgres": ["pg_dump", "--username=postgres", "db"],
    "mysql": ["mysqldump", "--host=127.0.0.1", "--user=root", "db"],
}


def name_of(shape: Shape) -> str:
    return f"{shape}-{label(shape.answers)}"


@pytest.fixture(scope="session", params=SHAPES, ids=name_of)
def shape(request: pytest.FixtureRequest) -> Shape:
    return request.param


@pytest.fixture(scope="session")
def stack(shape: Shape, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local stack of a shape, whose owner has done what the bake says, and made the tables."""
    folder = tmp_path_factory.mktemp("shape") / shape.name
    make_shape(shape, folder)
    follow(bake(folder, **shape.answers), folder, shape.settings)
    with (folder / ".env-local").open("a") as settings:
        settings.writelines(f"{name}={value}\n" for name, value in shape.environment.items())
    baked = Baked({"shape": shape.name}, folder)
    copies = tmp_path_factory.mktemp("stack")
    options = {"page": shape.path, "release": shape.release}
    with stack_of(baked, copies, DEVELOPMENT, *shape.services, **options) as stack:
        yield stack
    shutil.rmtree(copies)


def add(stack: Stack, path: str, text: str) -> None:
    """Post to the page of a shape, which takes a file too if it knows what to do with one."""
    file = {"file": (f"{text}.txt", text)}
    url = f"{stack.url}{path}"
    answer = requests.post(url, {"text": text}, files=file, allow_redirects=False, timeout=35)
    assert answer.status_code in {201, 302}, answer.text


def stays_open(stack: Stack, path: str, seconds: float) -> bool:
    """Tell whether a WebSocket is opened, and not closed as long as nothing is said."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    with socket.create_connection(("127.0.0.1", stack.port), timeout=seconds) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            status = connection.recv(12)
            while connection.recv(4096):
                pass
        except TimeoutError:
            return status == b"HTTP/1.1 101"
    return False


def test_page_writes_and_reads_and_files_stay_the_owners(shape: Shape, stack: Stack) -> None:
    add(stack, shape.path, "first")

    eventually(lambda: stack.shows(shape.says, shape.path), shape.says)
    [database] = stack.containers("database_default")
    assert "first" in database.execute(*DUMP[shape.answers["database"]])
    files = stack.baked.folder.rglob("*")
    assert [path for path in files if path.lstat().st_uid != OWNER] == []


def test_image_writes_and_reads_and_stops(shape: Shape, stack: Stack) -> None:
    production = replace(stack, file=PRODUCTION)
    production.compose("up", "--detach", "--build", *shape.services)
    eventually(lambda: production.get(shape.path).status_code == 200, str(shape))
    add(production, shape.path, "second")

    assert production.shows("second", shape.path)
    assert production.shows(shape.says, shape.path)
    if shape.websocket:
        limit = float(shape.environment["REQUEST_TIMEOUT"])
        assert stays_open(production, shape.websocket, limit + 4)
    if "worker" in shape.services:
        eventually(lambda: production.shows("second, shipped", shape.path), "the worker")
        [worker] = production.containers("worker")
        assert worker.execute("stat", "--format=%U", "/proc/1") == "www-data"
    [web] = production.containers("web")
    assert web.stop() == 0


def test_own_tests_pass_in_the_image(shape: Shape, stack: Stack) -> None:
    test = "pip --python /opt/venv/bin/python install --quiet pytest && python -m pytest"

    assert " passed" in docker("run", "--rm", f"{stack.name}-web", "sh", "-c", test)
