"""Fixtures: the image of each core combination, and the servers that it needs."""

import importlib.metadata
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from combinations import CORES, title
from engine import PREFIX, docker, eventually, inspect, remove_all, run

PACKAGE = "my_flask_app"
APPLICATION = Path(__file__).parent / "application"


@dataclass(frozen=True)
class Project:
    """A baked project with the views of the tests, and its image."""

    answers: dict[str, str]
    folder: Path
    image: str

    @property
    def core(self) -> str:
        return title(self.answers)

    @property
    def base(self) -> str:
        return re.search(r"^FROM (\S+)$", (self.folder / "Dockerfile").read_text(), re.MULTILINE)[1]


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    """Need an engine, and leave nothing behind in it."""
    if shutil.which("docker") is None or run("docker", "info", check=False).returncode:
        message = "There is no Docker engine that answers: 'docker info' fails."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    try:
        yield
    finally:
        remove_all()


def add_views(folder: Path) -> None:
    """Add the views of the tests to a baked project, and a migration for their table."""
    shutil.copy(APPLICATION / "probe.py", folder / PACKAGE / "probe.py")
    shutil.copy(APPLICATION / "migration.py", folder / "migrations" / "versions" / "0123_probe.py")
    factory = folder / PACKAGE / "__init__.py"
    register = "    app.register_blueprint(pages.blueprint)\n"
    text = factory.read_text().replace("    pages,\n", "    pages,\n    probe,\n")
    assert register in text
    factory.write_text(text.replace(register, register + register.replace("pages", "probe")))


@pytest.fixture(scope="session")
def build(bake: Callable[..., Path]) -> Callable[..., Project]:
    """Bake a combination and build its image, once."""
    built: dict[str, Project] = {}

    def make(answers: dict[str, str], **more: str) -> Project:
        name = title(answers | more)
        if name not in built:
            folder = bake(**answers, **more)
            add_views(folder)
            image = f"{PREFIX}-{name}"
            docker("build", "--tag", image, str(folder), timeout=900)
            built[name] = Project(answers, folder, image)
        return built[name]

    return make


@pytest.fixture(scope="session", params=CORES, ids=title)
def project(request: pytest.FixtureRequest, build: Callable[..., Project]) -> Project:
    return build(request.param)


@pytest.fixture(scope="session")
def network() -> str:
    """A network for what runs side by side."""
    docker("network", "create", f"{PREFIX}-network")
    return f"{PREFIX}-network"


@dataclass(frozen=True)
class Database:
    """A database server in the network, as the local stack has it."""

    kind: str
    container: str

    def new(self, name: str) -> str:
        """Make an empty database and return its URL."""
        command = {
            "postgres": ["psql", "--username=postgres", "--command"],
            "mysql": ["mysql", "--user=root", "--execute"],
        }[self.kind]
        docker("exec", self.container, *command, f"CREATE DATABASE {name}")
        scheme, account, port = {
            "postgres": ("postgres", "postgres", 5432),
            "mysql": ("mysql", "root", 3306),
        }[self.kind]
        return f"{scheme}://{account}@{self.container}:{port}/{name}"


def is_healthy(container: str) -> bool:
    return inspect(container)["State"]["Health"]["Status"] == "healthy"


def start_database(project: Project, network: str, name: str) -> Database:
    """Start the database of the local stack, without its mounts."""
    services = yaml.safe_load((project.folder / "docker-compose.yml").read_text())["services"]
    service = services["database_default"]
    health = service["healthcheck"]["test"]
    assert health[0] == "CMD"
    docker(
        *["run", "--detach", "--name", name, f"--network={network}"],
        *[f"--env={key}={value}" for key, value in service["environment"].items()],
        *[f"--health-cmd={shlex.join(health[1:])}", "--health-interval=1s"],
        service["image"],
    )
    eventually(lambda: is_healthy(name), f"{name} is healthy")
    return Database(project.answers["database"], name)


@pytest.fixture(scope="session")
def database_of(network: str) -> Callable[[Project], Database]:
    started: dict[str, Database] = {}

    def start(project: Project) -> Database:
        kind = project.answers["database"]
        if kind not in started:
            started[kind] = start_database(project, network, f"{PREFIX}-{kind}")
        return started[kind]

    return start


@pytest.fixture(scope="session")
def s3(network: str, build: Callable[..., Project]) -> str:
    """The container name of an S3 API, at port 5000."""
    version = importlib.metadata.version("moto")
    packages = f"moto[s3]=={version} flask flask-cors"
    base = build(CORES[0]).base
    file = f"FROM {base}\nRUN pip install --no-cache-dir --root-user-action=ignore {packages}\n"
    run("docker", "build", "--tag", f"{PREFIX}-s3", "-", input=file)
    name = f"{PREFIX}-s3-api"
    docker(
        *["run", "--detach", "--name", name, f"--network={network}", "--publish=127.0.0.1::5000"],
        *[f"{PREFIX}-s3", "moto_server", "--host=0.0.0.0", "--port=5000"],
    )
    return name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the containers said when a test fails."""
    report = yield
    if report.failed:
        names = docker("ps", "--all", "--format", "{{.Names}}", check=False).splitlines()
        for name in names:
            if name.startswith(PREFIX):
                said = docker("logs", "--tail=40", name, check=False)
                report.sections.append((f"log of {name}", said))
    return report
