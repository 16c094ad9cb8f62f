"""A site survives what is slow, frozen, absent or wrong around it, and tells of it in its log.

The faults happen at the same time, each to a site of its own.
"""

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import PAIRED_CORES, Answers
from tests.harness.databases import Server, has_programs, new_database, server_of
from tests.harness.edge import DOMAIN
from tests.harness.existing import ONE_FILE, adopt, make
from tests.harness.faults import (
    Answer,
    ask,
    ask_steadily,
    asking,
    at_once,
    half_close,
    locked_rows,
    results,
    upload,
)
from tests.harness.load import assert_none_is_lost, loading
from tests.harness.machine import provide
from tests.harness.processes import descendants, eventually
from tests.harness.sites import SECONDS_TO_STOP, Site, let_root_serve, serve

# Divio's load balancer gives up then.
SECONDS_TO_ANSWER = 30
SECONDS_TO_RECOVER = 20

pytestmark = pytest.mark.sample(PAIRED_CORES)


@dataclass(frozen=True)
class Troubled:
    """A project with the views of the tests, and the database server that it shares."""

    project: Baked
    database: str

    def settings(self, server: str, name: str, **more: str) -> dict[str, str]:
        """Return what the project needs, with a migrated database that has a row."""
        settings = {
            "STAGE": "test",
            "SECRET_KEY": "the-secret-key",
            "DATABASE_URL": new_database(server, f"{self.project}-{name}"),
            "DOMAIN": DOMAIN,
        }
        self.project.run("flask", "db", "upgrade", **settings)
        return settings | more


@pytest.fixture(scope="session")
def troubled(deployed: Baked, server: str, tmp_path_factory: pytest.TempPathFactory) -> Troubled:
    project = deployed.copy(tmp_path_factory.mktemp("troubled") / "app")
    project.add_probe()
    return Troubled(project, server)


# A view for an application.
STUCK = """

@app.get("/stuck")
def stuck():
    import time

    time.sleep(60)
"""

Seen = dict[str, Any]


def queries_that_wait(troubled: Troubled) -> Seen:
    """Have 16 requests wait for a lock, and then 16 that ask for what takes long."""
    settings = troubled.settings(troubled.database, "waiting")
    with serve(troubled.project, settings) as site, asking(site.url, "/hello", "/healthz") as pages:
        ask(site.url, "/probe/rows", b"")
        with locked_rows(settings["DATABASE_URL"], "probe"):
            locked = results(at_once(16, lambda: ask(site.url, "/probe/locked")))
        slow = results(at_once(16, lambda: ask(site.url, "/probe/query?seconds=60")))
        after = results(at_once(16, lambda: ask(site.url, "/probe/rows")))
    return {"waiting": locked + slow, "pages": pages, "after": after, "log": site.log.read_text()}


def database_that_fails(troubled: Troubled) -> Seen:
    """Freeze the database under requests, restart it under load, and stop it."""
    with server_of(troubled.project.answers["database"]) as database:
        settings = troubled.settings(database.url, "failing")
        with serve(troubled.project, settings) as site:
            return freeze(database, site) | restart(database, site) | stop(database, site)


def freeze(database: Server, site: Site) -> Seen:
    under_way = at_once(8, lambda: ask(site.url, "/probe/query?seconds=5"))
    begun = lambda: site.log.read_text().count(" begun /probe/query") == len(under_way)  # noqa: E731
    eventually(begun, "all requests are under way")
    database.freeze()
    with asking(site.url, "/hello", "/healthz") as pages:
        frozen = results(under_way + at_once(24, lambda: ask(site.url, "/probe/rows")))
        database.thaw()
        first = results(at_once(16, lambda: ask(site.url, "/probe/rows")))
    return {"frozen": frozen, "pages": pages, "first": first}


def restart(database: Server, site: Site) -> Seen:
    address = site.url.removeprefix("http://")
    with loading([sys.executable], address, "/hello", "/probe/rows") as load:
        before = site.log.read_text().count("/probe/rows 200")
        eventually(lambda: site.log.read_text().count("/probe/rows 200") > before + 50, "load")
        database.stop()
        database.start()
        recovered = lambda: ask(site.url, "/probe/rows").status == 200  # noqa: E731
        eventually(recovered, "recovery", SECONDS_TO_RECOVER)
    # More at once than all threads of all workers: a stuck pool would show.
    after = [at_once(48, lambda: ask(site.url, "/probe/rows")) for _ in range(2)]
    return {"load": load, "after": [answer for wave in after for answer in results(wave)]}


def stop(database: Server, site: Site) -> Seen:
    database.stop()
    try:
        log = site.log.read_text()
        absent = {
            accept: ask(site.url, "/probe/rows", Accept=accept, **{"X-Request-ID": f"absent-{n}"})
            for n, accept in enumerate(["text/html", "application/json"])
        }
        return {"absent": absent, "log": site.log.read_text().removeprefix(log)}
    finally:
        database.start()


def stuck_view(troubled: Troubled) -> Seen:
    settings = troubled.settings(troubled.database, "stuck")
    others = ["/hello"] * 2 + ["/probe/slow?seconds=5"] * 4
    with serve(troubled.project, settings) as site:
        return get_stuck(site, "/probe/slow?seconds=60&secret=hidden", *others)


def get_stuck(site: Site, path: str, *others: str) -> Seen:
    """Ask for a view that does not end, and others meanwhile, until a worker is replaced."""
    with asking(site.url, *others) as answers:
        before = set(descendants(site.process.pid))
        begun = time.monotonic()
        stuck = at_once(20, lambda: ask(site.url, path))
        try:
            eventually(lambda: before - set(descendants(site.process.pid)), "a worker is replaced")
        except AssertionError:
            replaced = None
        else:
            replaced = time.monotonic() - begun
    return {
        "others": answers,
        "stuck": [future.result() for future in stuck if future.done()],
        "replaced": replaced,
        "log": site.log.read_text(),
    }


def bodies(troubled: Troubled) -> Seen:
    settings = troubled.settings(troubled.database, "bodies", REQUEST_TIMEOUT="2")
    with serve(troubled.project, settings) as site:
        send = lambda *pieces, **how: upload(site.url, "/probe/body", *pieces, **how)  # noqa: E731
        early = [send([b"half"], length=100, end=half_close)]
        early.append(send([b"half"], length=100, end=socket.socket.close))
        malformed = send([b"no size\r\n"])
        slow = at_once(16, lambda: send(repeat(b"x", 140), length=1000, pause=0.25))
        slow += at_once(16, lambda: send(length=1000))
        too_long = at_once(1, lambda: send(repeat(b"x" * 1000, 140), length=2 * 10**8, pause=0.25))
        honest = at_once(1, lambda: send(repeat(bytes(50_000), 40), length=2_000_000, pause=0.1))
        calls = [lambda: ask(site.url, "/hello"), lambda: ask(site.url, "/probe/body", b"body")]
        others = ask_steadily(8, 20, *calls)
        return {
            "early": early,
            "malformed": malformed,
            "others": others,
            "honest": results(honest),
            "too long": results(too_long),
            "slow": results(slow),
            "log": site.log.read_text(),
        }


Fault = Callable[[Troubled], Seen]


@pytest.fixture(scope="session")
def provoked(
    request: pytest.FixtureRequest, troubled: Troubled, own_server: None
) -> Iterator[dict[Fault, Future[Seen]]]:
    """What becomes of all faults of the tests that run, at the same time."""
    calls = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    wanted = {call.params["seen"] for call in calls if "seen" in call.params}
    with ThreadPoolExecutor(len(wanted)) as pool:
        yield {fault: pool.submit(fault, troubled) for fault in wanted}


@pytest.fixture(scope="session")
def own_server(answers: Answers, say: Callable[[str], None]) -> None:
    """Need the programs of a database server, which a test can freeze."""
    kind = answers["database"]
    provide(lambda: has_programs(kind), f"server of {kind} that tests may freeze", say)


@pytest.fixture
def seen(request: pytest.FixtureRequest, provoked: dict[Fault, Future[Seen]]) -> Seen:
    return provoked[request.param].result()


def during(fault: Fault) -> pytest.MarkDecorator:
    """Run a test with what was seen during a fault."""
    return pytest.mark.parametrize("seen", [fault], indirect=True, ids=[fault.__name__])


def check(answers: list[Answer], *statuses: int, within: float = SECONDS_TO_ANSWER) -> None:
    """Check that each answer has one of these statuses and came in time."""
    wrong = [answer for answer in answers if answer.status not in statuses]
    late = [answer for answer in answers if answer.seconds > within]
    assert answers, "nothing was asked"
    assert not wrong + late, f"{statuses} within {within} s expected:\n{table(answers)}"


@during(queries_that_wait)
def test_query_that_waits_ends_by_itself(seen: Seen) -> None:
    check(seen["waiting"], 503, within=15)
    assert all("Retry-After" in answer.headers for answer in seen["waiting"])
    check(seen["after"], 200)


@during(queries_that_wait)
def test_pages_without_database_are_served_while_queries_wait(seen: Seen) -> None:
    check(seen["pages"], 200, within=2)


@during(database_that_fails)
def test_requests_end_though_the_database_is_frozen(seen: Seen) -> None:
    check(seen["frozen"], 503)
    check(seen["pages"], 200)


@during(database_that_fails)
def test_first_requests_succeed_once_the_database_goes_on(seen: Seen) -> None:
    check(seen["first"], 200)


@during(database_that_fails)
def test_restart_of_the_database_fails_only_requests_under_way(seen: Seen) -> None:
    load = seen["load"]
    assert set(load["/hello"]) == {"200"}, load
    assert set(load["/probe/rows"]) <= {"200", "503"}, load
    check(seen["after"], 200)


@during(database_that_fails)
def test_absent_database_is_503_and_one_line(seen: Seen) -> None:
    for number, (accept, answer) in enumerate(seen["absent"].items()):
        check([answer], 503)
        assert answer.headers["Content-Type"].startswith(accept)
        assert "Retry-After" in answer.headers
        lines = [line for line in seen["log"].splitlines() if f"[absent-{number}]" in line]
        told = [line for line in lines if " begun " not in line and ".access: " not in line]
        assert len(told) == 1, seen["log"]
    assert "Traceback" not in seen["log"], seen["log"]


@during(stuck_view)
def test_stuck_view_has_its_worker_replaced(seen: Seen) -> None:
    check_stuck(seen, "probe.py", "/probe/slow")


def check_stuck(seen: Seen, file: str, path: str) -> None:
    assert seen["replaced"], f"no worker was replaced; others: {table(seen['others'])}"
    assert seen["replaced"] < 45, f"{seen['replaced']} s"
    check([answer for answer in seen["others"] if answer.path == "/hello"], 200, within=2)
    check(seen["others"], 200)
    assert re.search(rf'{file}", line \d+,? in \w+\n', seen["log"]), seen["log"]
    assert re.search(rf"{path}(?!\?)", seen["log"]), seen["log"]
    assert "hidden" not in seen["log"]


@during(bodies)
def test_body_that_ends_early_is_seen_by_no_view(seen: Seen) -> None:
    half_closed, _closed = seen["early"]
    check([half_closed], 400)
    assert "read 4 bytes" not in seen["log"]


@during(bodies)
def test_malformed_chunk_is_the_clients_error(seen: Seen, answers: Answers) -> None:
    check([seen["malformed"]], 400 if answers["gateway_server"] == "gunicorn" else 411)


@during(bodies)
def test_slow_bodies_hold_up_nobody(seen: Seen) -> None:
    others = seen["others"]
    in_time = [answer for answer in others if answer.status == 200 and answer.seconds < 1]
    assert len(in_time) >= 0.9 * len(others), table(others)


@during(bodies)
def test_body_that_is_too_slow_is_given_up(seen: Seen) -> None:
    check(seen["slow"], 408)


@during(bodies)
def test_body_that_is_too_long_is_not_awaited(seen: Seen) -> None:
    check(seen["too long"], 413)


@during(bodies)
def test_upload_may_take_longer_than_a_request(seen: Seen) -> None:
    check(seen["honest"], 200)
    assert seen["honest"][0].text == "2000000"


def test_commands_have_no_limit(troubled: Troubled, tmp_path: Path) -> None:
    project = troubled.project.copy(tmp_path / "app")
    versions = project.folder / "migrations" / "versions"
    sleep = "pg_sleep" if project.answers["database"] == "postgres" else "SLEEP"
    slow = (versions / "0123_probe.py").read_text().partition("\n\n\ndef upgrade")[0]
    slow = slow.replace("down_revision = None", 'down_revision = "0123456789ab"')
    slow = slow.replace('revision = "0123456789ab"', 'revision = "1123456789ab"', 1)
    slow += f"\n\n\ndef upgrade() -> None:\n    op.execute('SELECT {sleep}(2)')\n"
    (versions / "1123_slow.py").write_text(slow)

    settings = troubled.settings(troubled.database, "commands", DATABASE_TIMEOUT="1")
    said = project.run("flask", "db", "upgrade", **settings)

    assert "1123456789ab" in said


# Of each server one.
@pytest.mark.sample([PAIRED_CORES[0], PAIRED_CORES[-1]])
@pytest.mark.parametrize("time", range(20))
def test_stop_under_load_fails_no_request(time: int, troubled: Troubled) -> None:
    settings = troubled.settings(troubled.database, "stopped")
    with serve(troubled.project, settings) as site:
        address = site.url.removeprefix("http://")
        paths = ("/hello", "/probe/rows", "/probe/slow?seconds=0.3")
        with loading([sys.executable], address, *paths) as load:
            eventually(lambda: site.log.read_text().count(" 200 ") > 100, "load")
            site.process.terminate()
            status = site.process.wait(SECONDS_TO_STOP)

    assert_none_is_lost(load, site.log.read_text())
    assert status == 0


def test_stuck_view_of_an_existing_application(troubled: Troubled, tmp_path: Path) -> None:
    folder = make(ONE_FILE, tmp_path / "repository")
    answers = {"gateway_server": troubled.project.answers["gateway_server"]}
    adopt(folder, ONE_FILE, **answers)
    with (folder / "app.py").open("a") as application:
        application.write(STUCK)
    project = Baked(answers, folder)
    let_root_serve(project)
    (folder / ".venv").symlink_to(troubled.project.bin.parent)

    with serve(project, {}, "/") as site:
        seen = get_stuck(site, "/stuck?secret=hidden", "/")

    check_stuck(seen, "app.py", "/stuck")
