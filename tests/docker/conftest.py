"""Fixtures: the image of each core combination, and the servers that it needs."""

import importlib.metadata
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.conftest import Bake
from tests.harness import engine, images
from tests.harness.choices import CORES, Answers, label
from tests.harness.databases import in_container
from tests.harness.engine import PREFIX, Container, container, docker
from tests.harness.images import Image
from tests.harness.processes import run

BuildImage = Callable[..., Image]


@pytest.fixture(scope="session", autouse=True)
def clean_engine() -> Iterator[None]:
    """Need an engine, and leave nothing behind in it."""
    if not engine.is_there():
        message = "There is no Docker engine that answers: 'docker info' fails."
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    try:
        yield
    finally:
        engine.remove_all()


@pytest.fixture(scope="session")
def build(bake: Bake) -> BuildImage:
    """Bake a combination, add the views and the table of the tests, and build its image, once."""
    built: dict[str, Image] = {}

    def build(**answers: str) -> Image:
        name = label(answers)
        if name not in built:
            baked = bake(**answers)
            baked.add_probe()
            built[name] = images.build(baked)
        return built[name]

    return build


@pytest.fixture(scope="session")
def image(answers: Answers, build: BuildImage) -> Image:
    return build(**answers)


@pytest.fixture(scope="session")
def network() -> str:
    """A network for what runs side by side."""
    docker("network", "create", f"{PREFIX}-network")
    return f"{PREFIX}-network"


@pytest.fixture(scope="session")
def start_database(network: str) -> Iterator[Callable[[str], Container]]:
    """Start a database server of a kind in the network, once."""
    with ExitStack() as servers:
        yield cache(
            lambda kind: servers.enter_context(
                in_container(kind, f"--network={network}", name=f"{PREFIX}-{kind}")
            )
        )


@pytest.fixture(scope="session")
def s3(network: str, build: BuildImage) -> Iterator[Container]:
    """An S3 API."""
    version = importlib.metadata.version("moto")
    packages = f"moto[s3]=={version} flask flask-cors"
    install = f"RUN pip install --no-cache-dir --root-user-action=ignore {packages}\n"
    name = f"{PREFIX}-s3"
    file = f"FROM {build(**CORES[0]).base}\n{install}"
    run("docker", "build", "--tag", name, "-", stdin=file)
    serve = ["moto_server", "--host=0.0.0.0", "--port=5000"]
    with container(name, *serve, options=(f"--network={network}",), port=5000) as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the containers said when a test fails."""
    report = yield
    if report.failed:
        names = docker("ps", "--all", "--format", "{{.Names}}", fails=None).splitlines()
        for name in names:
            if name.startswith(PREFIX):
                said = docker("logs", "--tail=40", name, fails=None)
                report.sections.append((f"log of {name}", said))
    return report
