"""The image of applications that the template only deploys; test_shapes.py has their stacks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.harness import edge, existing, images
from tests.harness.baked import Baked
from tests.harness.choices import Answers, label
from tests.harness.engine import Container, container, docker, inspect
from tests.harness.existing import IN_SRC, ONLY_PYPROJECT, OWN_DOCKER, TUTORIAL, Application
from tests.harness.images import Image
from tests.harness.processes import environment, eventually, free_port, run

# Each choice occurs, and an application of each layout that none of the shapes has.
ADOPTIONS = [
    (TUTORIAL, {"database": "postgres", "gateway_server": "uwsgi", "media_storage": "s3"}),
    (ONLY_PYPROJECT, {"database": "postgres", "gateway_server": "gunicorn", "media_storage": "s3"}),
    (IN_SRC, {"database": "mysql", "gateway_server": "gunicorn", "media_storage": "local"}),
]


@dataclass(frozen=True)
class Adopted:
    """An application with what was added to it, and its image."""

    application: Application
    image: Image

    def is_served(self, web: Container) -> bool:
        assert inspect(web.name)["State"]["Running"], f"{self.application}: {web.logs()}"
        return self.application.says in web.get(self.application.path).text


def name_of(adoption: tuple[Application, Answers]) -> str:
    application, answers = adoption
    return f"{application.name}-{label(answers)}"


@pytest.fixture(scope="session", params=ADOPTIONS, ids=name_of)
def adopted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    application, answers = request.param
    folder = existing.make(application, tmp_path_factory.mktemp("repository") / "of-an-owner")
    existing.adopt(folder, application, **answers)
    image = images.build(Baked(answers, folder), f"existing-{request.param_index}")
    return Adopted(application, image)


@pytest.fixture(scope="session")
def web(adopted: Adopted) -> Iterator[Container]:
    options = ("--env=STAGE=test", "--env=SECRET_KEY=secret", f"--env=DOMAIN={edge.DOMAIN}")
    with container(adopted.image.name, options=options) as web:
        eventually(lambda: adopted.is_served(web), str(adopted.application))
        yield web


def test_application_answers_from_its_gateway_server(adopted: Adopted, web: Container) -> None:
    server = adopted.image.baked.answers["gateway_server"]
    processes = web.execute("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert server in processes
    assert f"GET {adopted.application.path} 200" in web.logs()


def test_probe_passes_without_a_database(adopted: Adopted, web: Container) -> None:
    assert edge.probe(web.url).status_code <= 500
    web.execute(*adopted.image.health_check())


def test_workers_have_no_privileges(web: Container) -> None:
    users = web.execute("sh", "-c", "grep -l 'PPid:.1$' /proc/[0-9]*/status | xargs grep -h '^Uid'")

    assert {line.split()[1] for line in users.splitlines()} == {"33"}


def test_image_holds_nothing_of_git_or_of_the_local_stack(adopted: Adopted) -> None:
    names = docker("run", "--rm", adopted.image.name, "sh", "-c", "ls -A /app").splitlines()

    assert not {".git", ".env-local", "data", "docker-compose.yml", "DEPLOY.md"} & set(names)


def test_runs_read_only_as_any_user_and_stops(adopted: Adopted) -> None:
    options = ("--user=12345", "--env=PORT=8000", "--read-only")
    with container(adopted.image.name, options=options, port=8000) as web:
        eventually(lambda: adopted.is_served(web), str(adopted.application))

        assert web.stop() == 0


def test_unusable_settings_stop_it_with_a_message(adopted: Adopted) -> None:
    settings = {
        "PORT": "80a80",
        "REQUEST_TIMEOUT": "0",
        "WEB_CONCURRENCY": "2.5",
        "WEB_THREADS": "-1",
    }
    options = [f"--env={name}={value}" for name, value in settings.items()]
    said = docker("run", "--rm", *options, adopted.image.name, fails=True, timeout=60)

    for name in settings:
        assert said.count(f"- {name}: must be a whole number from 1 to ") == 1, said
    assert "Traceback" not in said


def test_container_of_the_owner_runs_on(tmp_path: Path) -> None:
    """Until its owner replaces it, what the application had before works as before."""
    folder = existing.make(OWN_DOCKER, tmp_path / "repository")
    existing.adopt(folder, OWN_DOCKER)

    with container(images.build(Baked({}, folder), "own").name) as web:
        eventually(lambda: OWN_DOCKER.says in web.get("/").text, "the page")


def test_what_waits_beside_the_container_of_the_owner_can_be_tried(tmp_path: Path) -> None:
    folder = existing.make(OWN_DOCKER, tmp_path / "repository")
    said = existing.adopt(folder, OWN_DOCKER)
    [lines] = re.findall(r"To try them there:\n\n(.*?)\n\n", said, re.DOTALL)
    port = free_port()
    env = environment() | {"PORT": str(port)}
    try:
        run("sh", "-ec", f"{lines} --detach", folder=folder, env=env, timeout=900)

        address = f"http://127.0.0.1:{port}"
        eventually(lambda: OWN_DOCKER.says in requests.get(address, timeout=5).text, "the page")
    finally:
        down = lines.splitlines()[-1].removesuffix(" up")
        run("sh", "-c", f"{down} down --volumes --rmi=local --timeout=1", folder=folder, env=env)
