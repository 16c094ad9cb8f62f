"""Requests: how many, with how much CPU, how late, and with how much memory."""

import contextlib
import statistics
from functools import partial
from pathlib import Path

from benchmarks.comparisons import Results, Sample, rows, take_turns
from benchmarks.servers import (
    OURS,
    SERVERS,
    STATIC_FILES,
    Server,
    image,
    memory,
    postgres,
    serve,
)
from tests.harness.edge import DOMAIN

URL_OF = (
    "import my_flask_app, sys; app = my_flask_app.create_app(); "
    f"app.test_request_context(base_url='https://{DOMAIN}').push(); "
    "print(app.url_for('static', filename=sys.argv[1], _external=False))"
)


def hello(folder: Path, rounds: int) -> Results:
    """A view that does nothing, so that what stands around it shows."""
    floors = ["same", "bare", "function"]
    for server in SERVERS:
        with contextlib.ExitStack() as stack:
            sides = [
                stack.enter_context(serve(image(folder, server), server, side, "/hello"))
                for side in [OURS, *floors]
            ]
            loads = [partial(side.load, "/hello") for side in sides]
            ours, *others = take_turns(rounds, *loads)
        for floor, theirs in zip(floors, others, strict=True):
            yield from rows(floor, server, ours, theirs)


def row(folder: Path, rounds: int) -> Results:
    """A view that reads one row of Postgres."""
    with postgres() as (_, options):
        for server in SERVERS:
            run = partial(serve, image(folder, server), server, **options)
            with run(OURS, "/row") as ours, run("bare_row", "/row") as bare:
                loads = [partial(side.load, "/row") for side in (ours, bare)]
                yield from rows("row", server, *take_turns(rounds, *loads))


def static(folder: Path, rounds: int) -> Results:
    """A static file under its hashed name, without compression, which only ours would have."""
    for server in SERVERS:
        run = partial(serve, image(folder, server), server)
        with run(OURS, "/hello") as ours, run("bare", "/hello") as bare:
            for name, size in STATIC_FILES.items():
                hashed = ours.container.execute("python", "-c", URL_OF, f"{size}.txt")
                sides = take_turns(
                    rounds,
                    partial(ours.load, hashed),
                    partial(bare.load, f"/static/{size}.txt"),
                )
                yield from rows(name, server, *sides)


def latency(folder: Path, rounds: int) -> Results:
    for server in SERVERS:
        run = partial(serve, image(folder, server), server)
        with run(OURS, "/hello") as ours, run("bare", "/hello") as bare:
            sides = [partial(side.p99, "/hello", 0.7 * peak(side)) for side in (ours, bare)]
            yield from rows("p99", server, *take_turns(rounds, *sides))


def peak(server: Server) -> float:
    """Return the most requests a second that the client of the latencies gets answered."""
    seconds = 2
    counts = [len(server.latencies("/hello", "-z", f"{seconds}s")) for _ in range(3)]
    return statistics.median(counts) / seconds


def resident_memory(folder: Path, rounds: int) -> Results:
    """After 1,000 requests, each server alone, because two would share what they map."""

    def of_a_worker(server: str, application: str) -> Sample:
        with serve(image(folder, server), server, application, "/hello") as running:
            running.latencies("/hello", "-n", "1000")
            found = [memory(pid) for pid in running.workers()]
        return {unit: statistics.mean(worker[unit] for worker in found) for unit in found[0]}

    for server in SERVERS:
        sides = [partial(of_a_worker, server, side) for side in (OURS, "bare")]
        yield from rows("memory", server, *take_turns(min(rounds, 3), *sides))
