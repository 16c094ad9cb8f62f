"""docs/benchmarks.md: the machine, the versions, the rows, the tables and their plots."""

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from . import plots
from .projects import Projects
from .results import Row, Table

HEADINGS = ["what", "against", "unit", "ours", "theirs", "ratio", "target", "met"]
HOW = """\
Each round measures both sides, one right after the other, and the next round begins again with
the first. Shown are the medians of the rounds, in brackets their quartiles, or the extremes of
fewer than five. The ratio is the median of the ratios of the rounds: on a shared machine it
carries over to others, as the absolute figures do not.

- Ours is the project that the default answers give, with the gateway server that is named, deployed
  (`STAGE=live`): all middleware on, each request asked for as Divio's load balancer does, and
  logged, which the bare side does not do.
- Bare is Flask with one view. It runs in the same environment under the same settings: workers,
  threads and preloading. In throughput and latency neither side replaces workers after 10,000
  requests, which these reach in seconds; a row of its own tells what that costs.
- wrk with 16 clients counts requests, hey measures latency. Each request has a connection of its
  own. They run on the same machine, so that they take a share of it from both sides.
- Static files are asked for without compression, which only ours would have.
- Media is moved by a process of its own each time, and growth is that of the peak of its memory
  while it moves. S3 is moto's server on the same machine; it serves parts of a file badly, which is
  how boto3 downloads.
"""

GAPS = """\
- Bake: two hooks are two more interpreters, and 57 files are compiled and rendered instead of one.
  With files of one line and hooks that do nothing it would still take 1.35 to 1.6 times as long,
  so that only fewer files or no hooks could meet the target.
- Import: SQLAlchemy alone takes most of what the target allows, as the rows and the table below
  show, and the driver of the database exceeds it. Both are loaded before the workers are forked,
  so that they share them; on first use each worker would load its own.
- `/hello`: what a request of the project has and bare Flask has not is a log line, an id, ten
  headers, a session (whose signer is made once), and the rules about proxies, hosts, HTTPS and
  forms. The log line alone is a third of it or more, as the row without it shows.
- The row: with it comes a ping of the connection (`pool_pre_ping`), without which the requests
  after a restart of the database would fail.
- Static files: 10 KB are limited by the server, in which even the WSGI function of one line above
  does about 1.8 (uWSGI) to 2.1 times (gunicorn) what Flask's route does. 1 MB is limited by
  the socket: both sides have the kernel send the file (`sendfile`). With uWSGI its router copies it
  once more. nginx shows it.
- p99: at 70 % of the peak it is in proportion to the time of a request, so `/hello` decides it.
- Start of a container: at the target, a little over or under it in each run. The difference is the
  import above.
- Memory: a worker's own (USS) is within the target; the share of what is loaded once for all
  workers (PSS) is mostly SQLAlchemy's.
- Build: installing is about half of it. The rest makes the environment, compresses and compiles,
  and copies the result into the image. pip is in the base image; uv would have to be brought, and
  the row with it shows what is left of its lead then.
"""


def page(results: list[Row | Table], projects: Projects, command: str) -> str:
    rows = [result for result in results if isinstance(result, Row)]
    tables = [result for result in results if isinstance(result, Table)]
    parts = [
        f"# Benchmarks\n\n`{command}` wrote this page.\n",
        f"{machine()}\n\n{versions(projects)}\n",
        HOW,
        "## Against the floor\n",
        "![How far each ratio meets its target](benchmarks-targets.svg)\n",
        table(HEADINGS, [row.cells() for row in rows]),
        "## What is missed, and why\n",
        GAPS,
    ]
    for result in tables:
        parts += [f"## {result.title}\n", f"{result.text}\n"]
        if result.title in PLOTS:
            parts.append(f"![{result.title}]({PLOTS[result.title][1]})\n")
        parts.append(table(result.headings, [[str(cell) for cell in row] for row in result.rows]))
    return "\n".join(parts)


PLOTS = {
    "More clients and more workers": (plots.clients, "benchmarks-clients.svg"),
    "Larger uploads": (plots.uploads, "benchmarks-uploads.svg"),
}


def draw(results: list[Row | Table], folder: Path) -> None:
    plots.targets(
        [row for row in results if isinstance(row, Row)], folder / "benchmarks-targets.svg"
    )
    for result in results:
        if isinstance(result, Table) and result.title in PLOTS:
            plot, name = PLOTS[result.title]
            plot(result, folder / name)


def table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"Machine: {found[1] if found else platform.machine()}, {os.cpu_count()} cores, "
        f"{memory / 1e9:.0f} GB of memory, Linux {platform.release().partition('-')[0]}."
    )


def versions(projects: Projects) -> str:
    names = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    gunicorn = projects.ours("gunicorn").python("-c", names, "flask", "sqlalchemy", "gunicorn")
    flask, sqlalchemy, server = gunicorn.split()
    found = {
        "Python": platform.python_version(),
        "Flask": flask,
        "SQLAlchemy": sqlalchemy,
        "gunicorn": server,
        "pyuwsgi": projects.ours("uwsgi").python("-c", names, "pyuwsgi").strip(),
        "cookiecutter": importlib.metadata.version("cookiecutter"),
        "boto3": projects.ours("gunicorn").python("-c", names, "boto3").strip(),
        "moto": importlib.metadata.version("moto"),
        "uv": importlib.metadata.version("uv"),
        "Docker": docker_version(),
    }
    return f"Versions: {', '.join(f'{name} {version}' for name, version in found.items())}."


def docker_version() -> str:
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
