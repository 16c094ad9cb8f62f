"""docs/benchmarks.md: how it was measured, the machine, the versions, the rows and the tables."""

import importlib.metadata
import os
import platform
import re
from pathlib import Path

from benchmarks.comparisons import HEADINGS, Row, Table, markdown
from benchmarks.servers import image
from tests.harness.engine import docker

INSTALLED = {"gunicorn": ["flask", "sqlalchemy", "boto3", "gunicorn"], "uwsgi": ["pyuwsgi"]}
HOW = """\
Each round measures both sides, one right after the other, and the next round begins again with
the first. Shown are the medians of the rounds, in brackets their quartiles, or the extremes of
fewer than five. The ratio is the median of the ratios of the rounds: on a shared machine it
carries over to others, as the absolute figures do not.

- All runs in the image that the default answers give, with its Python and its locked dependencies,
  but cookiecutter. Ours is the project, with the gateway server that is named, deployed
  (`STAGE=live`) and asked as Divio's load balancer asks. Bare is Flask with one view, under the
  same settings of the server: workers, threads, limits of requests and preloading. Neither replaces
  its workers.
- For requests, the server has one core, and the clients (wrk, and hey for latency) have the others,
  in the network of its container. CPU is that of all processes of the container, in user and
  system mode. The log goes into a file, so what an engine does with it is in neither.
- Each request has a connection of its own. uWSGI's router closes them anyway, and lasting ones may
  all end up at one of gunicorn's workers.
- Static files are asked for without compression, which only ours would have.
- Media is moved by a process of its own each time, and what is grown is the peak of its memory
  while it moves. S3 is moto's server on the same machine; it serves parts of a file badly, which is
  how boto3 downloads.
"""


def page(results: list[Row | Table], folder: Path) -> str:
    rows = [result for result in results if not isinstance(result, Table)]
    tables = [result for result in results if isinstance(result, Table)]
    parts = ["# Benchmarks\n\n`make bench` wrote this page.\n", machine(), versions(folder), HOW]
    parts += ["## Against the floor\n", markdown(HEADINGS, rows)]
    for table in tables:
        parts += [f"## {table.title}\n\n{table.text}\n", markdown(table.headings, table.rows)]
    return "\n".join(parts)


def machine() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"Machine: {found[1] if found else platform.machine()}, {os.cpu_count()} cores, "
        f"{memory / 1e9:.0f} GB of memory, Linux {platform.release().partition('-')[0]}.\n"
    )


def versions(folder: Path) -> str:
    """Name what is in the images, and what is on this machine."""
    code = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    found = {
        "Python": docker("run", "--rm", image(folder, "uwsgi").name, "python", "-V").split()[1]
    }
    for server, names in INSTALLED.items():
        said = docker("run", "--rm", image(folder, server).name, "python", "-c", code, *names)
        found |= zip(names, said.split(), strict=True)
    found |= {name: importlib.metadata.version(name) for name in ("cookiecutter", "moto")}
    found["Docker"] = docker("version", "--format={{.Server.Version}}")
    return f"Versions: {', '.join(f'{name} {version}' for name, version in found.items())}.\n"
