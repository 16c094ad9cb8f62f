"""Measure what the template costs, print it, and write docs/benchmarks.md."""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from servers import program

from . import TEMPLATE, answering, baking, growth, images, media, report, starting
from .projects import Projects
from .results import Results, Row, Table

PROGRAMS = ["wrk", "hey", "nginx"]


def parts(folder: Path, projects: Projects, *, quick: bool) -> dict[str, Callable[[], Results]]:
    rounds, seconds = (2, 1) if quick else (5, 1)
    megabytes = 50 if quick else 500
    return {
        "bake": lambda: baking.measure(folder / "bake", rounds),
        "start": lambda: starting.measure(projects, rounds),
        "hello": lambda: answering.hello(projects, rounds, seconds),
        "row": lambda: answering.row(projects, rounds, seconds),
        "static": lambda: answering.static(projects, rounds, seconds),
        "latency": lambda: answering.latency(projects, rounds, seconds),
        "memory": lambda: answering.resident_memory(projects, rounds),
        "media": lambda: media.measure(projects, folder / "transfers", min(rounds, 3), megabytes),
        "clients": lambda: growth.clients(projects, seconds),
        "uploads": lambda: growth.uploads(projects, folder, megabytes),
        "images": lambda: images.measure(projects, folder, rounds),
    }


def show(result: Row | Table) -> None:
    if isinstance(result, Row):
        names = ["", "against", "in", "ours", "theirs", "ratio", "target", "met"]
        said = zip(names, result.cells(), strict=True)
        print("  " + "; ".join(f"{name} {cell}".strip() for name, cell in said if cell))
        return
    print(f"  {result.title}")
    print("    " + "".join(f"{heading:>36}" for heading in result.headings))
    for row in result.rows:
        print("    " + "".join(f"{cell:>36}" for cell in row))


def main() -> int:
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("part", nargs="*", help="only these, and nothing is written")
    parser.add_argument("--quick", action="store_true", help="few rounds, and nothing is written")
    arguments = parser.parse_args()
    if missing := [name for name in PROGRAMS if not program(name)]:
        parser.error(f"{', '.join(missing)} missing: 'make bootstrap-bench' installs it on Debian")
    results: list[Row | Table] = []
    failed = []
    with tempfile.TemporaryDirectory(prefix="flask-divio-bench-") as name:
        folder = Path(name)
        projects = Projects(folder)
        known = parts(folder, projects, quick=arguments.quick)
        if unknown := set(arguments.part) - set(known):
            parser.error(f"no such part: {', '.join(unknown)}. There are: {', '.join(known)}.")
        for part in arguments.part or known:
            started = time.perf_counter()
            print(part)
            try:
                for result in known[part]():
                    show(result)
                    results.append(result)
            except Exception:
                traceback.print_exc()
                failed.append(part)
            print(f"  took {time.perf_counter() - started:.0f} s")
        if failed:
            print(f"Not measured in full: {', '.join(failed)}", file=sys.stderr)
            return 1
        if not arguments.part and not arguments.quick:
            docs = TEMPLATE / "docs"
            docs.mkdir(exist_ok=True)
            (docs / "benchmarks.md").write_text(report.page(results, projects, "make bench"))
            report.draw(results, docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
