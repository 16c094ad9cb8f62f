"""Celery: jobs that a site sends to a real RabbitMQ, and workers and servers that fail."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.harness import rabbitmq
from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import connect, has_programs, new_database, server_of
from tests.harness.machine import missing, provide
from tests.harness.processes import descendants, eventually, run
from tests.harness.rabbitmq import Broker
from tests.harness.recipes import gate
from tests.harness.sites import SECONDS_TO_STOP, Site, let_root_serve, serve
from tests.recipes.conftest import Follow

JOBS = 1000
KILLS = [signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL]
# A job takes so long that some are under way when their worker ends.
WORK = {
    "import secrets\n": "import secrets\nimport time\n",
    "    db.session.add(Report(": "    time.sleep(0.02)\n    db.session.add(Report(",
}
# Of jobs at once, and so of connections to the database.
CONCURRENCY = 2
CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
# A request has to be answered before its worker is replaced, after REQUEST_TIMEOUT.
SECONDS_TO_ANSWER = 15


@pytest.fixture(scope="module", params=TWO_CORES, ids=label)
def core(request: pytest.FixtureRequest) -> Answers:
    return request.param


@pytest.fixture(scope="module")
def project(core: Answers, follow: Follow) -> Baked:
    return follow("celery", **core)


def test_gate(project: Baked, mypy_cache: str) -> None:
    gate(project, "celery", mypy_cache=mypy_cache)


@pytest.fixture(scope="session")
def broker(say: Callable[[str], None]) -> Iterator[Broker]:
    server = provide(rabbitmq.source, "RabbitMQ", say)
    with server() as broker:
        yield broker


@dataclass(frozen=True)
class Deployment:
    """A project as its image has it, with the program for Celery, and with no job that waits."""

    project: Baked
    settings: dict[str, str]

    @contextmanager
    def celery(self, role: str, log: Path, **settings: str) -> Iterator[subprocess.Popen]:
        """Run a worker or the beat, and kill what is left of it."""
        with log.open("a") as output:
            process = subprocess.Popen(
                [self.project.folder / "aldryn-celery", role],
                cwd=self.project.folder,
                env=self.project.environment(**self.settings | settings),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        except AssertionError as error:
            error.add_note(log.read_text()[-5000:])
            raise
        finally:
            kill(process, signal.SIGKILL)

    def select(self, query: str) -> list[tuple]:
        with connect(self.settings["DATABASE_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@pytest.fixture
def deployment(project: Baked, server: str, broker: Broker, tmp_path: Path) -> Deployment:
    return deploy(project, tmp_path, new_database(server, "celery"), broker)


@pytest.fixture(scope="module")
def server(core: Answers, start_server: Callable[[str], str]) -> str:
    return start_server(core["database"])


def deploy(project: Baked, folder: Path, database: str, broker: Broker) -> Deployment:
    deployed = project.copy(folder / "app")
    let_root_serve(deployed)
    make_program(deployed)
    settings = {"DATABASE_URL": database, "DEFAULT_AMQP_BROKER_URL": f" {broker.url} "}
    deployed.run("flask", "db", "upgrade", **settings)
    deployed.run("celery", "--app=celery_app", "purge", "--force", **settings)
    return Deployment(deployed, settings)


def make_program(project: Baked) -> None:
    """Do what the image does, with this virtual environment, and as root where that is us."""
    [step] = re.findall(
        r"^RUN (printf .*?aldryn-celery)$", project.text("Dockerfile"), re.DOTALL | re.MULTILINE
    )
    for ours, here in {
        "/opt/venv/bin": project.bin,
        "/usr/local/bin": project.folder,
        "--uid=www-data --gid=www-data": "",
    }.items():
        assert ours in step
        step = step.replace(ours, str(here))
    run("sh", "-c", step, folder=project.folder)


def kill(process: subprocess.Popen, number: signal.Signals) -> int:
    """Do to a container what Docker does, which ends all of it; return the exit status."""
    if number == signal.SIGTERM:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_STOP)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


class Visitor(requests.Session):
    """Orders reports."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.url = f"{site.url}/reports/"
        self.token = re.search(r'name="csrf_token" value="(.*?)"', self.get(self.url).text)[1]

    def order(self) -> requests.Response:
        form = {"csrf_token": self.token}
        return self.post(self.url, form, allow_redirects=False, timeout=60)

    def has(self, order: requests.Response) -> bool:
        url = urljoin(self.url, order.headers["Location"])
        return "What took long." in self.get(url).text


@pytest.mark.parametrize("core", TWO_CORES[:1], ids=label, indirect=True)
def test_no_job_is_lost_or_counted_twice(
    deployment: Deployment, broker: Broker, tmp_path: Path
) -> None:
    log = tmp_path / "worker"
    change(deployment.project, "reports.py", WORK)

    def made() -> int:
        return deployment.select("SELECT count(*) FROM report")[0][0]

    with serve(deployment.project, deployment.settings) as site:
        visitor = Visitor(site)
        codes = [visitor.order().headers["Location"].rpartition("/")[2] for _ in range(JOBS)]
    for count, number in enumerate(KILLS, start=1):
        with deployment.celery("worker", log) as worker:
            eventually(lambda: made() >= 120 * count, f"{120 * count} jobs are done")  # noqa: B023
            connections = deployment.select(CONNECTIONS)
            kill(worker, number)
        assert len(connections) - 1 <= CONCURRENCY  # but for the one that asks
    with deployment.celery("worker", log) as worker:
        eventually(lambda: made() >= 120 * len(KILLS) + 50, "the last worker works")
        os.kill(descendants(worker.pid)[0], signal.SIGKILL)  # as where it needs too much memory
        eventually(lambda: "exited with 'signal 9" in log.read_text(), "the worker tells of it")
        broker.stop()
        assert made() < JOBS, "all was done before"
        broker.start()
        eventually(lambda: made() >= JOBS, "all jobs are done")
        eventually(lambda: "0 jobs wait for 1 workers" in check(deployment), "no job waits")
        kill(worker, signal.SIGTERM)

    assert sorted(code for (code,) in deployment.select("SELECT code FROM report")) == sorted(codes)
    # Some were under way when their worker ended, and so were begun twice.
    assert log.read_text().count("] received") > JOBS


def change(project: Baked, module: str, texts: dict[str, str]) -> None:
    path = project.folder / project.package / module
    code = path.read_text()
    for text, other in texts.items():
        assert code.count(text) == 1
        code = code.replace(text, other)
    path.write_text(code)


def check(deployment: Deployment) -> str:
    return deployment.project.run("flask", "check", **deployment.settings)


def test_worker_and_beat_log_like_the_site(deployment: Deployment, tmp_path: Path) -> None:
    log = tmp_path / "worker"
    change(deployment.project, "jobs.py", {'crontab(minute="30")': "1.0"})

    with (
        deployment.celery("worker", log, LOG_FORMAT="json") as worker,
        deployment.celery("beat", tmp_path / "beat", LOG_FORMAT="json") as beat,
        serve(deployment.project, deployment.settings) as site,
    ):
        visitor = Visitor(site)
        order = visitor.order()
        eventually(lambda: visitor.has(order), "the report")
        eventually(lambda: "reports.tidy" in log.read_text(), "what the beat sends")
        assert kill(beat, signal.SIGTERM) == 0
        assert kill(worker, signal.SIGTERM) == 0

    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    [done] = [
        line for line in lines if "make" in line["message"] and "succeeded" in line["message"]
    ]
    assert done["request_id"] == order.headers["X-Request-ID"]


def test_request_is_answered_while_the_broker_is_frozen(
    deployment: Deployment, broker: Broker
) -> None:
    with serve(deployment.project, deployment.settings) as site:
        visitor = Visitor(site)
        assert visitor.order().status_code == 302
        with broker.frozen():
            begin = time.monotonic()
            answer = visitor.order()
            assert time.monotonic() - begin < SECONDS_TO_ANSWER
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
        assert visitor.order().status_code == 302


def test_job_waits_for_the_database(
    core: Answers, project: Baked, broker: Broker, tmp_path: Path
) -> None:
    if not has_programs(core["database"]):
        missing(f"server of {core['database']} to stop")
    log = tmp_path / "worker"
    with server_of(core["database"]) as database:
        deployment = deploy(project, tmp_path, new_database(database.url, "celery"), broker)
        with (
            deployment.celery("worker", log),
            serve(deployment.project, deployment.settings) as site,
        ):
            visitor = Visitor(site)
            order = visitor.order()
            eventually(lambda: visitor.has(order), "a report")
            database.stop()
            order = visitor.order()
            eventually(lambda: "Retry in" in log.read_text(), "the job is put off")
            database.start()
            eventually(lambda: visitor.has(order), "the report, after all")
