"""Requests: how many, how late, and with how much memory, on real gateway servers."""

import functools
import statistics

import psycopg
from servers import new_database, postgres

from .load import ask, latencies, percentile, requests_per_second
from .projects import SERVERS, STATIC_FILES, Projects, hashed
from .results import Results, Row, take_turns
from .serving import Server, memory, nginx, serve, steady

FLASK_RUN = ["flask", "run", "--host", "0.0.0.0", "--port", "{port}"]


def hello(projects: Projects, rounds: int, seconds: int) -> Results:
    """A view that does nothing, so that what stands around it shows."""
    for name in SERVERS:
        with (
            steady(projects.ours(name), "/hello") as ours,
            steady(projects.bare(name), "/hello") as bare,
            steady(projects.bare(name, "function"), "/hello") as function,
            serve(projects.ours(name), "/hello") as replacing,
            serve(projects.ours(name), "/hello", FLASK_RUN) as flask_run,
            steady(projects.ours(name), "/hello", LOG_LEVEL="warning") as silent,
        ):
            sides = [
                functools.partial(requests_per_second, server, "/hello", seconds)
                for server in (ours, bare, silent, function, replacing, flask_run)
            ]
            our_rates, bare_rates, silent_rates, *others = take_turns(rounds, *sides)
            function_rates, replacing_rates, flask_rates = others
        unit = "requests/s"
        yield Row(f"`/hello`, {name}", "bare Flask", unit, our_rates, bare_rates, "≥ 0.85")
        unlogged = f"`/hello`, {name}, logging no requests (`LOG_LEVEL=warning`)"
        yield Row(unlogged, "bare Flask, for the record", unit, silent_rates, bare_rates)
        ceiling = "a WSGI function without Flask, for the record"
        yield Row(f"`/hello`, {name}", ceiling, unit, our_rates, function_rates)
        yield Row(f"`/hello`, {name}", "the same by `flask run`", unit, our_rates, flask_rates)
        yield Row(
            f"`/hello`, {name}, replacing workers after 10,000 requests, as shipped",
            "the same without",
            unit,
            replacing_rates,
            our_rates,
        )


def row(projects: Projects, rounds: int, seconds: int) -> Results:
    """A view that reads one row of a real Postgres."""
    with postgres() as server:
        url = new_database(server, "benchmarks")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE note (id integer PRIMARY KEY, text text NOT NULL)")
            connection.execute("INSERT INTO note VALUES (1, 'Hello, World!')")
        for name in SERVERS:
            with (
                steady(projects.ours(name, with_views=True), "/row", DATABASE_URL=url) as ours,
                steady(projects.bare(name, "bare_row"), "/row", DATABASE_URL=url) as bare,
            ):
                rates = take_turns(
                    rounds,
                    functools.partial(requests_per_second, ours, "/row", seconds),
                    functools.partial(requests_per_second, bare, "/row", seconds),
                )
            what = f"a view that reads one row, {name}"
            yield Row(what, "bare Flask, SQLAlchemy's session", "requests/s", *rates, "≥ 0.9")


def static(projects: Projects, rounds: int, seconds: int) -> Results:
    """A static file under its hashed name, against Flask's own route, and nginx."""
    for name in SERVERS:
        ours, bare = projects.ours(name), projects.bare(name)
        for file, size in STATIC_FILES.items():
            plain, ours_url = f"/static/{file}", hashed(ours, file)
            with (
                steady(ours, ours_url) as our_server,
                steady(bare, plain) as bare_server,
                nginx(bare.folder / "static", plain) as nginx_server,
            ):
                our_rates, bare_rates, nginx_rates = take_turns(
                    rounds,
                    functools.partial(requests_per_second, our_server, ours_url, seconds),
                    functools.partial(requests_per_second, bare_server, plain, seconds),
                    functools.partial(requests_per_second, nginx_server, plain, seconds),
                )
            what = f"a hashed static file of {size / 1000:,.0f} KB, {name}"
            unit, factor = ("MB/s", size / 1e6) if size >= 1e6 else ("requests/s", 1)
            our_rates, bare_rates, nginx_rates = (
                [rate * factor for rate in rates] for rates in (our_rates, bare_rates, nginx_rates)
            )
            yield Row(what, "Flask's own route", unit, our_rates, bare_rates, "≥ 2")
            yield Row(what, "nginx, for the record", unit, our_rates, nginx_rates)


def latency(projects: Projects, rounds: int, seconds: int) -> Results:
    """p99 where each side has 70 % of what it can do at most."""
    for name in SERVERS:
        with (
            steady(projects.ours(name), "/hello") as ours,
            steady(projects.bare(name), "/hello") as bare,
        ):
            rates = {}
            for server in (ours, bare):
                peaks = [len(latencies(server, "/hello", seconds)) / seconds for _ in range(3)]
                rates[server.port] = 0.7 * statistics.median(peaks)

            def p99(server: Server) -> float:
                times = latencies(server, "/hello", 2 * seconds, rates[server.port])  # noqa: B023
                return 1000 * percentile(times, 0.99)

            measured = take_turns(
                rounds, functools.partial(p99, ours), functools.partial(p99, bare)
            )
        offered = f"{rates[ours.port]:,.0f} and {rates[bare.port]:,.0f} requests/s"
        yield Row(
            f"p99 of `/hello` at 70 % of the peak, {name}",
            f"bare Flask (at {offered})",
            "ms",
            *measured,
            "≤ 1.3",
        )


def resident_memory(projects: Projects, rounds: int) -> Results:
    """Memory of a worker after 1,000 requests to both, with the shipped settings."""
    for name in SERVERS:
        ours: dict[str, list[float]] = {"PSS": [], "USS": [], "RSS": []}
        theirs: dict[str, list[float]] = {"PSS": [], "USS": [], "RSS": []}
        for _ in range(min(rounds, 3)):
            # Each alone, because servers that run side by side share what they map.
            for application, sizes in (
                (projects.ours(name), ours),
                (projects.bare(name), theirs),
            ):
                with serve(application, "/hello") as server:
                    ask(server, "/hello", 1000)
                    found = [memory(pid) for pid in server.workers()]
                for kind, values in sizes.items():
                    values.append(statistics.mean(worker[kind] for worker in found))
        for kind, meaning in {
            "PSS": "with its share of what is shared",
            "USS": "its own alone",
            "RSS": "all that it maps",
        }.items():
            what = f"memory of a worker, {kind}: {meaning}, {name}"
            target = "≤ 1.5" if kind == "PSS" else ""
            yield Row(what, "bare Flask", "MB", ours[kind], theirs[kind], target)
