"""A site survives what is slow, frozen, absent or wrong around it, and tells of it in its log.

All faults happen at the same time, each to a site of its own.
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
from tests.harness.choices import ONE_OF_EACH_SERVER, PAIRED_CORES, Answers
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
    left_open,
    locked_rows,
    results,
    sleeping,
    table,
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
one_of_each_server = pytest.mark.sample(ONE_OF_EACH_SERVER)


@dataclass(frozen=True)
class Troubled:
    """A project with the views and the table of the tests, and what Divio sets for it."""

    project: Baked
    settings: dict[str, str]


@pytest.fixture(scope="session")
def troubled(deployed: Baked, server: str, tmp_path_factory: pytest.TempPathFactory) -> Troubled:
    project = deployed.copy(tmp_path_factory.mktemp("troubled") / "app")
    project.add_probe()
    settings = {
        "STAGE": "test",
        "SECRET_KEY": "the-secret-key",
        "DATABASE_URL": new_database(server, f"{project}-troubled"),
        "DOMAIN": DOMAIN,
    }
    project.run("flask", "db", "upgrade", **settings)
    return Troubled(project, settings)


Seen = dict[str, Any]
Fault = Callable[[Troubled], Seen]


def queries_that_wait(troubled: Troubled) -> Seen:
    """Have 16 requests wait for a lock, and then 16 that ask for what takes long."""
    with (
        serve(troubled.project, troubled.settings) as site,
        asking(site.url, "/hello", "/healthz") as pages,
    ):
        ask(site.url, "/probe/rows", b"")
        with locked_rows(troubled.settings["DATABASE_URL"], "probe"):
            waiting = results(at_once(16, lambda: ask(site.url, "/probe/locked")))
        waiting += results(at_once(16, lambda: ask(site.url, "/probe/query?seconds=60")))
        after = results(at_once(16, lambda: ask(site.url, "/probe/rows")))
    return {"waiting": waiting, "pages": pages, "after": after, "log": site.log.read_text()}


def database_that_fails(troubled: Troubled) -> Seen:
    """Freeze the database under requests, restart it under load, and stop it."""
    with server_of(troubled.project.answers["database"]) as database:
        url = new_database(database.url, "failing")
        settings = troubled.settings | {"DATABASE_URL": url}
        troubled.project.run("flask", "db", "upgrade", **settings)
        with serve(troubled.project, settings) as site:
            return freeze(database, site) | restart(database, site) | stop(database, site)


def freeze(database: Server, site: Site) -> Seen:
    under_way = at_once(8, lambda: ask(site.url, "/probe/query?seconds=5"))
    eventually(lambda: sleeping(database.url) == 8, "all are under way")
    database.freeze()
    with asking(site.url, "/hello", "/healthz") as pages:
        frozen = results(under_way + at_once(24, lambda: ask(site.url, "/probe/rows")))
        database.thaw()
        first = results(at_once(16, lambda: ask(site.url, "/probe/rows")))
    return {"frozen": frozen, "pages": pages, "first": first}


def restart(database: Server, site: Site) -> Seen:
    rows = lambda: ask(site.url, "/probe/rows")  # noqa: E731
    with loading([sys.executable], site.address, "/hello", "/probe/rows") as load:
        before = site.log.read_text().count("/probe/rows 200")
        eventually(lambda: site.log.read_text().count("/probe/rows 200") > before + 50, "load")
        database.stop()
        database.start()
        eventually(lambda: rows().status == 200, "recovery", SECONDS_TO_RECOVER)
    # More at once than connections of all workers: a stuck pool would show.
    return {"load": load, "after": [*results(at_once(48, rows)), *results(at_once(48, rows))]}


def stop(database: Server, site: Site) -> Seen:
    """Ask without a database for a page and for JSON, and also for what an owner did wrong."""
    wrong = [ask(site.url, path) for path in ("/probe/duplicate", "/probe/nonsense")]
    log = site.log.read_text()
    database.stop()
    absent = [
        ask(site.url, "/probe/rows", Accept=accept, **{"X-Request-ID": accept.replace("/", "-")})
        for accept in ("text/html", "application/json")
    ]
    log_of_absent = site.log.read_text().removeprefix(log)
    database.start()
    return {"wrong": wrong, "log of wrong": log, "absent": absent, "log of absent": log_of_absent}


def stuck_view(troubled: Troubled) -> Seen:
    others = ["/hello", "/hello", *["/probe/slow?seconds=5"] * 4]
    with serve(troubled.project, troubled.settings) as site:
        return get_stuck(site, "/probe/slow?seconds=60&secret=hidden", *others)


def views_of_existing_application(troubled: Troubled) -> Seen:
    """Ask for one that raises what servers take for an error of the client, and a stuck one."""
    folder = make(ONE_FILE, troubled.project.folder.parent / "existing")
    with (folder / "app.py").open("a") as application:
        lines = [
            'app.config["PROPAGATE_EXCEPTIONS"] = True',
            '@app.get("/pipe")',
            "def pipe():",
            "    raise BrokenPipeError(32, 'of its own')",
            '@app.get("/stuck")',
            "def stuck():",
            "    __import__('time').sleep(60)",
        ]
        application.write("\n".join(lines))
    answers = {"gateway_server": troubled.project.answers["gateway_server"]}
    adopt(folder, ONE_FILE, **answers)
    project = Baked(answers, folder)
    let_root_serve(project)
    (folder / ".venv").symlink_to(troubled.project.bin.parent)
    with serve(project, {}, page="/") as site:
        pipe = [ask(site.url, "/pipe")]
        return {"pipe": pipe} | get_stuck(site, "/stuck?secret=hidden", "/")


def get_stuck(site: Site, path: str, *others: str) -> Seen:
    """Ask for a view that does not end, and for others, until a worker is replaced."""
    with asking(site.url, *others) as answers:
        before = set(descendants(site.process.pid))
        begun = time.monotonic()
        stuck = at_once(20, lambda: ask(site.url, path))
        is_replaced = lambda: before - set(descendants(site.process.pid))  # noqa: E731
        try:
            eventually(is_replaced, "a worker is replaced", 45)
            seconds = time.monotonic() - begun
        except AssertionError:
            seconds = None
    log = site.log.read_text()
    return {"stuck": results(stuck), "others": answers, "replaced after": seconds, "log": log}


def bodies(troubled: Troubled) -> Seen:
    """Send bodies that end early, drip, do not come, are too long, or only take long."""
    with serve(troubled.project, troubled.settings | {"REQUEST_TIMEOUT": "2"}) as site:
        send = lambda *pieces, **how: upload(site.url, "/probe/body", *pieces, **how)  # noqa: E731
        seen = {
            "half closed": [send([b"half of it"], length=100, end=half_close)],
            "closed": [send([b"half of it"], length=100, end=socket.socket.close)],
            "malformed": [send([b"no size\r\n"])],
        }
        begun = {
            "dripping": at_once(16, lambda: send(repeat(b"x", 140), length=1000, pause=0.25)),
            "silent": at_once(16, lambda: send(length=1000)),
            "too long": at_once(
                1, lambda: send(repeat(b"x" * 1000, 140), length=10**9, pause=0.25)
            ),
            "honest": at_once(
                1, lambda: send(repeat(bytes(50_000), 40), length=2 * 10**6, pause=0.1)
            ),
        }
        calls = [lambda: ask(site.url, "/hello"), lambda: ask(site.url, "/probe/body", b"body")]
        seen["others"] = ask_steadily(8, 20, *calls)
        seen |= {name: results(answers) for name, answers in begun.items()}
        return seen | {"log": site.log.read_text()}


def trouble_of_the_only_worker(troubled: Troubled) -> Seen:
    """Leave connections open that are done with, have a view end the process, and one hang it."""
    hello = lambda: ask(site.url, "/hello")  # noqa: E731
    settings = troubled.settings | {"WEB_CONCURRENCY": "1"}
    with serve(troubled.project, settings) as site, left_open(16, site.url, "/hello"):
        beside = results(at_once(8, hello))
        end = ask(site.url, "/probe/exit")
        after = ask_steadily(2, 10, hello)
        hanging = ask(site.url, "/probe/hang")
        then = results(at_once(8, hello))
        log = site.log.read_text()
    return {
        "beside": beside,
        "end": [end],
        "after": after,
        "hanging": [hanging],
        "then": then,
        "log": log,
    }


def stops(troubled: Troubled) -> Seen:
    return {"stops": [stop_under_load(troubled) for _ in range(20)]}


def stop_under_load(troubled: Troubled) -> tuple[int, dict[str, dict[str, int]], str]:
    """Return the status of the server's end, what came of requests, and the log."""
    paths = ("/hello", "/probe/rows", "/probe/slow?seconds=0.3")
    with serve(troubled.project, troubled.settings) as site:
        with loading([sys.executable], site.address, *paths) as load:
            eventually(lambda: site.log.read_text().count(" 200 ") > 50, "load")
            site.process.terminate()
            status = site.process.wait(SECONDS_TO_STOP)
        return status, load, site.log.read_text()


@pytest.fixture(scope="session")
def own_server(answers: Answers, say: Callable[[str], None]) -> None:
    """Need the programs of a database server, which a test can freeze."""
    kind = answers["database"]
    provide(lambda: has_programs(kind), f"program of a server of {kind}", say)


@pytest.fixture(scope="session")
def provoked(
    request: pytest.FixtureRequest, answers: Answers, troubled: Troubled, own_server: None
) -> Iterator[dict[Fault, Future[Seen]]]:
    """What becomes of all faults of the tests that run with this combination."""
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    ours = [params for params in calls if params.get("answers") == answers]
    wanted = {params["seen"] for params in ours if "seen" in params}
    with ThreadPoolExecutor(len(wanted)) as pool:
        yield {fault: pool.submit(fault, troubled) for fault in wanted}


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
    # 3 seconds for a connection of the pool, 5 to connect, 12 for the answer. Beyond 12 is rare:
    # MariaDB ends statements in turn, and waits up to 2 seconds for each that does not notice.
    check(seen["waiting"], 503, within=20)
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
    log = seen["log of absent"]
    check(seen["absent"], 503)
    for answer, kind in zip(seen["absent"], ["text/html", "application/json"], strict=True):
        assert answer.headers["Content-Type"].startswith(kind)
        assert "Retry-After" in answer.headers
        lines = re.findall(
            rf"^.* \[{kind.replace('/', '-')}\] (?!.*(?: begun |\.access:)).*$", log, re.M
        )
        assert len(lines) == 1, log
    assert "Traceback" not in log, log


@during(database_that_fails)
def test_mistake_in_a_statement_is_500_with_a_traceback(seen: Seen) -> None:
    check(seen["wrong"], 500)
    for error in ("IntegrityError", "ProgrammingError"):
        assert re.search(rf"Traceback.*(?:\n  .*)+{error}", seen["log of wrong"]), error


@during(stuck_view)
def test_stuck_view_has_its_worker_replaced(seen: Seen) -> None:
    check_stuck(seen, "probe.py", "/probe/slow")


@one_of_each_server
@during(views_of_existing_application)
def test_stuck_view_of_an_existing_application_too(seen: Seen) -> None:
    check_stuck(seen, "app.py", "/stuck")


@one_of_each_server
@during(views_of_existing_application)
def test_error_that_looks_like_the_clients_is_500_with_a_traceback(
    seen: Seen, answers: Answers
) -> None:
    # uWSGI hangs up.
    check(seen["pipe"], 500 if answers["gateway_server"] == "gunicorn" else 0)
    assert "\nBrokenPipeError: [Errno 32] of its own\n" in seen["log"], seen["log"]


def check_stuck(seen: Seen, file: str, path: str) -> None:
    assert seen["replaced after"], f"No worker was replaced.\n{table(seen['others'])}"
    check([answer for answer in seen["others"] if "slow" not in answer.path], 200, within=2)
    check(seen["others"], 200)
    assert re.search(rf'{file}", line \d+,? in \w+\n', seen["log"]), seen["log"]
    assert re.search(rf"{path}(?!\?)", seen["log"]), seen["log"]
    assert "hidden" not in seen["log"]


@during(bodies)
def test_body_that_ends_early_is_seen_by_no_view(seen: Seen, answers: Answers) -> None:
    # uWSGI's router hangs up on a client that says nothing more.
    check(seen["half closed"], 400 if answers["gateway_server"] == "gunicorn" else 0)
    # Also to the one that closed, which sees no answer.
    assert seen["log"].count("POST /probe/body 400") >= len(seen["half closed"] + seen["closed"])
    assert "read 10 bytes" not in seen["log"]


@during(bodies)
def test_malformed_chunk_is_the_clients_error(seen: Seen, answers: Answers) -> None:
    check(seen["malformed"], 400 if answers["gateway_server"] == "gunicorn" else 411)


@during(bodies)
def test_slow_bodies_hold_up_nobody(seen: Seen) -> None:
    others = seen["others"]
    in_time = [answer for answer in others if answer.status == 200 and answer.seconds < 1]
    assert len(in_time) >= 0.9 * len(others), table(others)


@during(bodies)
def test_body_that_is_too_slow_is_given_up(seen: Seen) -> None:
    check(seen["dripping"] + seen["silent"], 408)


@during(bodies)
def test_body_that_is_too_long_is_not_awaited(seen: Seen) -> None:
    check(seen["too long"], 413)


@during(bodies)
def test_upload_may_take_longer_than_a_request(seen: Seen) -> None:
    check(seen["honest"], 200)
    assert seen["honest"][0].text == "2000000"


@one_of_each_server
@during(trouble_of_the_only_worker)
def test_client_that_does_not_close_its_connection_holds_up_nobody(seen: Seen) -> None:
    check(seen["beside"], 200, within=2)


@one_of_each_server
@during(trouble_of_the_only_worker)
def test_view_that_exits_ends_its_request_alone(seen: Seen, answers: Answers) -> None:
    # uWSGI hangs up.
    check(seen["end"], 500 if answers["gateway_server"] == "gunicorn" else 0)
    check(seen["after"], 200)


@one_of_each_server
@during(trouble_of_the_only_worker)
def test_worker_that_hangs_as_a_whole_is_replaced(seen: Seen) -> None:
    check(seen["hanging"], 0)
    check(seen["then"], 200)
    assert re.search(r'probe.py", line \d+ in hang\n', seen["log"]), seen["log"]


@one_of_each_server
@during(stops)
def test_stop_under_load_fails_no_request(seen: Seen) -> None:
    for status, load, log in seen["stops"]:
        assert_none_is_lost(load, log)
        assert status == 0, log


def test_migration_has_no_limit(troubled: Troubled, tmp_path: Path) -> None:
    project = troubled.project.copy(tmp_path / "app")
    sleep = "pg_sleep" if project.answers["database"] == "postgres" else "SLEEP"
    versions = project.folder / "migrations" / "versions"
    (versions / "1123_slow.py").write_text(
        "from alembic import op\n"
        "revision, down_revision = '1123456789ab', '0123456789ab'\n"
        f"def upgrade() -> None: op.execute('SELECT {sleep}(2)')\n"
        "def downgrade() -> None: pass\n"
    )

    for command in ("upgrade", "downgrade"):
        project.run("flask", "db", command, **troubled.settings | {"DATABASE_TIMEOUT": "1"})
