"""Connections to the database while new containers run beside those that they replace."""

import re
import sys
from contextlib import ExitStack

import pytest

from tests.harness.choices import TWO_CORES
from tests.harness.databases import PORTS, connect, in_container, url_of
from tests.harness.edge import DOMAIN
from tests.harness.engine import PREFIX, container
from tests.harness.images import Environment, Image
from tests.harness.load import assert_none_is_lost, loading
from tests.harness.processes import eventually

SITES = 4
CLIENTS = 12  # of each, which is more than it has connections
PATH = "/probe/visit"
# What a worker of jobs does, as many at once as it has connections.
JOBS = """
from concurrent.futures import ThreadPoolExecutor

from my_flask_app import create_app, probe
from my_flask_app.database import db


def work(_number):
    while True:
        with app.app_context():
            probe.visit()
        print("a job is done", flush=True)


app = create_app()
with app.app_context():
    size = db.engine.pool.size()
with ThreadPoolExecutor(size) as pool:
    list(pool.map(work, range(size)))
"""

SERVERS = {"postgres": "postgres", "mysql": "mysqld"}
# An account for which the server reserves no connection.
ACCOUNTS = {
    "postgres": ["CREATE ROLE site LOGIN", "ALTER DATABASE db OWNER TO site"],
    "mysql": ["CREATE USER site", "GRANT ALL ON db.* TO site"],
}
CONNECTIONS = {
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'site'",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE user = 'site'",
}


@pytest.mark.sample(TWO_CORES)
def test_old_and_new_containers_have_connections_enough(image: Image, network: str) -> None:
    kind, name = image.baked.answers["database"], f"{PREFIX}-limited-{image.baked}"
    settings = {
        "STAGE": "test",
        "SECRET_KEY": "the-secret-key",
        "DATABASE_URL": f"{kind}://site@{name}:{PORTS[kind]}/db",
        "DOMAIN": DOMAIN,
        "CONTAINERS": str(SITES + 1),  # and a worker of jobs
        "WEB_CONCURRENCY": "1",  # With more, each has fewer connections.
    }
    site = Environment(image, network, settings)
    # Divio's limit: https://docs.divio.com/reference/checks-timeouts/
    limited = (SERVERS[kind], "--max_connections=60")
    with (
        in_container(kind, f"--network={network}", name=name, command=limited) as server,
        connect(url_of(kind, server.address)) as connection,
        connection.cursor() as cursor,
        ExitStack() as containers,
        ExitStack() as loads,
    ):
        for statement in ACCOUNTS[kind]:
            cursor.execute(statement)
        site.command("flask", "db", "upgrade")
        webs, jobs, answers = [], [], []

        def deploy() -> None:
            work = container(image.name, "python", "-c", JOBS, options=site.options())
            jobs.append(containers.enter_context(work))
            started = [containers.enter_context(site.server()) for _ in range(SITES)]
            for web in started:
                eventually(web.is_answering, "the first answer")
                load = loading([sys.executable], web.address, PATH, threads=CLIENTS)
                answers.append(loads.enter_context(load))
            webs.extend(started)

        def has_connections(number: int) -> bool:
            cursor.execute(CONNECTIONS[kind])
            return cursor.fetchone()[0] >= number

        deploy()
        eventually(lambda: has_connections(25), "load on all connections of the old containers")
        deploy()
        site.command("flask", "db", "upgrade")
        site.command("flask", "check")
        eventually(lambda: has_connections(50), "load on those of old and new containers")
        for web in webs:
            eventually(lambda web=web: web.logs().count(f"{PATH} 200 ") > 200, "answers")
        for worker in jobs:
            eventually(lambda worker=worker: worker.logs().count("is done") > 200, "jobs")
        loads.close()
        said = [each.logs() for each in webs + jobs]

    for counts, log in zip(answers, said, strict=False):
        assert_none_is_lost(counts, log)
    for log in said:
        assert re.findall(".*(?:WARNING|ERROR|Traceback|[Tt]oo many).*", log) == []
