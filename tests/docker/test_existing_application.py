"""The image and the local stack of applications that the template only deploys."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import existing
import pytest
import requests
from combinations import title
from engine import PREFIX, Container, container, docker, eventually, inspect, run
from existing import IN_SRC, MONOREPO, ONE_FILE, ONLY_PYPROJECT, OWN_DOCKER, TUTORIAL, Application
from servers import free_port
from stacks import OWNER

# Each choice occurs with several applications.
ADOPTIONS = [
    (TUTORIAL, {"database": "postgres", "gateway_server": "uwsgi", "media_storage": "s3"}),
    (ONE_FILE, {"database": "mysql", "gateway_server": "uwsgi", "media_storage": "local"}),
    (ONLY_PYPROJECT, {"database": "postgres", "gateway_server": "gunicorn", "media_storage": "s3"}),
    (IN_SRC, {"database": "mysql", "gateway_server": "gunicorn", "media_storage": "local"}),
    (OWN_DOCKER, {"database": "mysql", "gateway_server": "gunicorn", "media_storage": "s3"}),
    (MONOREPO, {"database": "postgres", "gateway_server": "gunicorn", "media_storage": "local"}),
]


@dataclass(frozen=True)
class Adopted:
    """An application with what was added to it, and its image."""

    application: Application
    answers: dict[str, str]
    folder: Path
    image: str


def name_of(adoption: tuple[Application, dict[str, str]]) -> str:
    application, answers = adoption
    return f"{application.name}-{title(answers)}"


@pytest.fixture(scope="session", params=ADOPTIONS, ids=name_of)
def adopted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    application, answers = request.param
    folder = existing.make(application, tmp_path_factory.mktemp("repository") / "of-an-owner")
    existing.adopt(folder, application, **answers)
    if application == OWN_DOCKER:
        take_over(folder)
    image = f"{PREFIX}-existing-{request.param_index}"
    docker("build", "--tag", image, str(folder), timeout=900)
    return Adopted(application, answers, folder, image)


def take_over(folder: Path) -> None:
    """Replace the owner's container files by those that stand ready beside them."""
    for path in (folder / "the-app-divio").iterdir():
        path.replace(folder / path.name)
    (folder / "the-app-divio").rmdir()


@pytest.fixture(scope="session")
def web(adopted: Adopted) -> Iterator[Container]:
    options = ("--env=STAGE=test", "--env=SECRET_KEY=secret", "--env=DOMAIN=app.example.org")
    with container(adopted.image, options=options) as web:
        yield web


def answers(adopted: Adopted, web: Container) -> bool:
    assert inspect(web.name)["State"]["Running"], f"{adopted.application}: {web.logs()}"
    return adopted.application.says in web.get(adopted.application.path).text


def test_application_answers_from_its_gateway_server(adopted: Adopted, web: Container) -> None:
    eventually(lambda: answers(adopted, web), str(adopted.application))

    server = adopted.answers["gateway_server"]
    processes = web.execute("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert server in processes
    assert f"GET {adopted.application.path} 200" in web.logs()


def test_probe_passes_without_a_database(adopted: Adopted, web: Container) -> None:
    eventually(lambda: answers(adopted, web), str(adopted.application))

    status = web.get("/", Host="10.0.0.164:11453", **{"X-Forwarded-Proto": ""}).status_code

    assert status <= 500, "https://docs.divio.com/background/build-process/ has the rule"
    kind, *health = inspect(adopted.image, "image")["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    web.execute(*health)


def test_workers_have_no_privileges(adopted: Adopted, web: Container) -> None:
    eventually(lambda: answers(adopted, web), str(adopted.application))
    users = web.execute("sh", "-c", "grep -l 'PPid:.1$' /proc/[0-9]*/status | xargs grep -h '^Uid'")

    assert {line.split()[1] for line in users.splitlines()} == {"33"}


def test_flask_commands_find_the_application(adopted: Adopted) -> None:
    routes = docker("run", "--rm", adopted.image, "/opt/venv/bin/flask", "routes")

    assert adopted.application.path in routes


def test_image_holds_nothing_of_git_or_of_the_local_stack(adopted: Adopted) -> None:
    names = docker("run", "--rm", adopted.image, "sh", "-c", "ls -A /app").splitlines()

    assert not {".git", ".env-local", "data", "docker-compose.yml", "DEPLOY.md"} & set(names)


def test_runs_read_only_as_any_user_and_stops(adopted: Adopted) -> None:
    options = ("--user=12345", "--env=PORT=8000", "--read-only", "--tmpfs=/tmp")
    with container(adopted.image, options=options, port=8000) as web:
        eventually(lambda: answers(adopted, web), str(adopted.application))

        assert web.stop() == 0


def test_container_of_the_owner_runs_on(tmp_path: Path) -> None:
    """Until its owner replaces it, what the application had before works as before."""
    folder = existing.make(OWN_DOCKER, tmp_path / "repository")
    existing.adopt(folder, OWN_DOCKER)
    image = f"{PREFIX}-own"
    docker("build", "--tag", image, str(folder), timeout=900)

    with container(image) as web:
        eventually(lambda: OWN_DOCKER.says in web.get("/").text, "the page")


@pytest.mark.parametrize(
    ("adopted", "file"),
    [
        *((adoption, "docker-compose.yml") for adoption in ADOPTIONS),
        *((adoption, "docker-compose.production.yml") for adoption in ADOPTIONS[:2]),
    ],
    indirect=["adopted"],
    ids=lambda value: value if isinstance(value, str) else name_of(value),
)
def test_local_stack_serves_the_application(adopted: Adopted, file: str, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(adopted.folder, folder, symlinks=True)
    compose = folder / file
    port = free_port()
    compose.write_text(compose.read_text().replace('"8000:80"', f'"127.0.0.1:{port}:80"'))
    run("chown", "--recursive", f"{OWNER}:{OWNER}", str(folder))
    stack = ["docker", "compose", "--project-name", f"{PREFIX}-{port}", "--file", file]
    url = f"http://127.0.0.1:{port}{adopted.application.path}"
    try:
        run(*stack, "up", "--detach", "--build", cwd=folder, timeout=900)
        eventually(
            lambda: adopted.application.says in requests.get(url, timeout=10).text,
            f"{adopted.application} in {file}",
        )
        services = run(*stack, "ps", "--format=json", cwd=folder).stdout.splitlines()
        states = {row["Service"]: row["Health"] for row in map(json.loads, services)}
        assert states["database_default"] == "healthy"
        assert [path for path in folder.rglob("*") if path.lstat().st_uid != OWNER] == []
    finally:
        run(*stack, "down", "--volumes", "--rmi=local", "--timeout=1", cwd=folder, check=False)
