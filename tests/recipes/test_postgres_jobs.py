"""Jobs in real databases: requests add them, and workers that are killed run them."""

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.harness import edge
from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import connect, has_programs, new_database, server_of
from tests.harness.machine import provide
from tests.harness.processes import eventually, run
from tests.harness.recipes import gate
from tests.harness.sites import SECONDS_TO_STOP, let_root_serve, serve
from tests.recipes.conftest import Follow

JOBS = 500
KILLS = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM]
WORKERS = 2
VIEWS = """
import os
import time
from pathlib import Path

from flask import Blueprint
from sqlalchemy import Column, Integer, Table, insert, select

from . import database_jobs as jobs
from . import security
from .database import Base, db

blueprint = Blueprint("effects", __name__, url_prefix="/effects")
security.csrf.exempt(blueprint)

# The order of a request, and what its job did.
orders = Table("orders", Base.metadata, Column("number", Integer))
effects = Table("effects", Base.metadata, Column("number", Integer))

@jobs.job
def effect(number: int) -> None:
    assert db.session.scalar(select(orders.c.number).where(orders.c.number == number)) == number
    db.session.execute(insert(effects).values(number=number))
    time.sleep(0.01)  # so that kills come in the middle

@jobs.job
def kill(number: int) -> None:
    db.session.execute(insert(effects).values(number=number))
    os.kill(os.getpid(), 9)

@jobs.job
def wait(number: int, folder: str) -> None:
    db.session.execute(insert(effects).values(number=number))
    Path(folder, "begun").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.01)

@blueprint.cli.command("make")
def make() -> None:
    Base.metadata.create_all(db.engine)

@blueprint.cli.command("add-kill")
def add_kill() -> None:
    jobs.add(kill, -1)
    db.session.commit()

@blueprint.cli.command("add-wait")
def add_wait() -> None:
    jobs.add(wait, -2, os.environ["FOLDER"])
    db.session.commit()

@blueprint.post("/<int:number>/<end>")
def order(number: int, end: str) -> str:
    db.session.execute(insert(orders).values(number=number))
    jobs.add(effect, number)
    db.session.flush()
    if end == "fail":
        raise RuntimeError(number)
    db.session.commit()
    return ""
"""


@pytest.fixture(scope="module", params=TWO_CORES, ids=label)
def core(request: pytest.FixtureRequest) -> Answers:
    return request.param


@pytest.fixture(scope="module")
def project(core: Answers, follow: Follow, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    project = follow("postgres-jobs", **core).copy(tmp_path_factory.mktemp("jobs") / "app")
    project.grow(VIEWS, name="effects")
    let_root_serve(project)
    make_program_of_divio(project)
    return project


def make_program_of_divio(project: Baked) -> None:
    """Do what the Dockerfile does to have it, in the project."""
    [command] = re.findall(
        r"^RUN (printf .*?aldryn-celery)$", project.text("Dockerfile"), re.MULTILINE | re.DOTALL
    )
    for place, here in {
        "/usr/local/bin": str(project.folder),
        "/opt/venv/bin": str(project.bin),
        "www-data": "root",  # which could not read the folders of tests
    }.items():
        assert place in command
        command = command.replace(place, here)
    run("sh", "-c", command)


def prepared(project: Baked, database: str) -> dict[str, str]:
    """Return settings for a database, in which are the tables."""
    settings = {"STAGE": "live", "SECRET_KEY": "a-random-key", "DATABASE_URL": database}
    settings |= {"DOMAIN": edge.DOMAIN}
    project.run("flask", "effects", "make", **settings)
    return settings


@contextmanager
def worker(project: Baked, settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """Run a worker as Divio does, and kill what is left of it."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [project.folder / "aldryn-celery", "worker"],
            cwd=project.folder,
            env=project.environment(**settings),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    except AssertionError as error:
        error.add_note(log.read_text()[-5000:])
        raise
    finally:
        process.kill()
        process.wait()


def numbers(database: str) -> Counter[int]:
    """Return of which orders there are effects, and how many."""
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT number FROM effects")
        return Counter(number for (number,) in cursor.fetchall())


def test_gate(
    core: Answers, follow: Follow, mypy_cache: str, start_server: Callable[[str], str]
) -> None:
    url = new_database(start_server(core["database"]), "jobs_gate")
    project = follow("postgres-jobs", **core)
    gate(project, "postgres-jobs", mypy_cache=mypy_cache)
    project.run("pytest", "-q", "tests/test_database_jobs.py", TEST_DATABASE_URL=url)


def test_no_job_is_lost_or_done_twice(
    project: Baked, core: Answers, start_server: Callable[[str], str], tmp_path: Path
) -> None:
    database = new_database(start_server(core["database"]), "jobs")
    settings = prepared(project, database)
    log = tmp_path / "log"
    with ExitStack() as stack:
        site = stack.enter_context(serve(project, settings))

        def start() -> subprocess.Popen:
            return stack.enter_context(worker(project, settings, log))

        def order(number: int) -> int:
            end = "fail" if number >= JOBS else "commit"
            return edge.post(f"{site.url}/effects/{number}/{end}").status_code

        workers = [start() for _ in range(WORKERS)]
        with ThreadPoolExecutor(8) as visitors:
            asked = visitors.map(order, range(JOBS + 20))
            for place, number in enumerate(KILLS, start=1):
                many = place * JOBS // 6
                eventually(lambda many=many: len(numbers(database)) >= many, f"{many} are done")
                killed = workers.pop(0)
                killed.send_signal(number)
                assert killed.wait(SECONDS_TO_STOP) == (-9 if number == signal.SIGKILL else 0)
                workers.append(start())
            assert Counter(asked) == {200: JOBS, 500: 20}
        eventually(lambda: len(numbers(database)) >= JOBS, "all are done", 60)
        check = project.run("flask", "check", **settings, fails=True)  # has tables of the tests
        assert "0 wait, 0 failed each time" in check
    assert numbers(database) == dict.fromkeys(range(JOBS), 1)


def test_job_that_kills_its_worker_holds_up_no_other(
    project: Baked, core: Answers, start_server: Callable[[str], str], tmp_path: Path
) -> None:
    database = new_database(start_server(core["database"]), "jobs_kill")
    settings = prepared(project, database)
    project.run("flask", "effects", "add-kill", **settings)
    settings["FOLDER"] = str(tmp_path)
    project.run("flask", "effects", "add-wait", **settings)
    with worker(project, settings, tmp_path / "log") as process:
        assert process.wait(30) == -signal.SIGKILL
    with worker(project, settings, tmp_path / "log") as process:
        eventually((tmp_path / "begun").exists, "the other has begun", 30)
        process.terminate()
        assert numbers(database) == {}
        (tmp_path / "go").touch()
        assert process.wait(SECONDS_TO_STOP) == 0
    assert numbers(database) == {-2: 1}
    assert "1 wait, 0 failed each time" in project.run("flask", "check", **settings, fails=True)


def test_worker_outlives_a_restart_of_the_database(
    project: Baked, core: Answers, tmp_path: Path, say: Callable[[str], None]
) -> None:
    kind = core["database"]
    provide(lambda: has_programs(kind), kind, say)
    with server_of(kind) as server:
        settings = prepared(project, new_database(server.url, "jobs")) | {"FOLDER": str(tmp_path)}
        log = tmp_path / "log"
        with worker(project, settings, log) as process:
            server.stop()
            eventually(lambda: "No job can be taken" in log.read_text(), "it tells of it", 30)
            server.start()
            (tmp_path / "go").touch()
            project.run("flask", "effects", "add-wait", **settings)
            eventually(lambda: numbers(settings["DATABASE_URL"]) == {-2: 1}, "it goes on", 30)
            process.terminate()
            assert process.wait(SECONDS_TO_STOP) == 0
