"""Measure what the template costs, print it, and write docs/benchmarks.md."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import answering, growth, images, media, recipes, report, starting
from benchmarks.comparisons import Row, Table, markdown
from tests.harness import engine
from tests.harness.choices import TEMPLATE

PARTS = {
    "bake": starting.bake,
    "start": starting.start,
    "hello": answering.hello,
    "row": answering.row,
    "static": answering.static,
    "latency": answering.latency,
    "memory": answering.resident_memory,
    "media": media.media,
    "first-answer": starting.first_answer,
    "images": images.images,
    "clients": growth.clients,
    "containers": growth.containers,
    "uploads": growth.uploads,
    "recipes": recipes.recipes,
}


def missing() -> Iterator[str]:
    if sys.platform != "linux" or os.geteuid() != 0:
        yield "root on Linux, who may look into the processes of containers"
    if (os.cpu_count() or 1) < 2:
        yield "a second core, for the clients"
    if not engine.is_there():
        yield "a Docker engine that answers"
    for program in ("hey", "nsenter", "taskset", "wrk"):
        if not shutil.which(program):
            yield f"{program}, which 'make bootstrap-bench' installs on Debian"


def show(result: Row | Table) -> None:
    if isinstance(result, Table):
        print(f"  {result.title}\n{markdown(result.headings, result.rows)}", end="")
    else:
        print("  " + "; ".join(filter(None, result)))


def main() -> None:
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"only these, of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.epilog = "The page is written by a run of all parts that is not quick."
    arguments = parser.parse_args()
    if unknown := set(arguments.part) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}.")
    if lacking := list(missing()):
        parser.error(f"this needs {'; '.join(lacking)}")
    results: list[Row | Table] = []
    with tempfile.TemporaryDirectory(prefix="flask-divio-bench-") as name:
        folder = Path(name)
        try:
            for part in arguments.part or PARTS:
                started = time.perf_counter()
                print(part)
                for result in PARTS[part](folder, 2 if arguments.quick else 7):
                    show(result)
                    results.append(result)
                print(f"  took {time.perf_counter() - started:.0f} s")
            if not arguments.part and not arguments.quick:
                page = TEMPLATE / "docs" / "benchmarks.md"
                page.write_text(report.page(results, folder))
        finally:
            engine.remove_all()


if __name__ == "__main__":
    main()
