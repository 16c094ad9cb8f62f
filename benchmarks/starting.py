"""Start: import and create_app(), in a process that does nothing else."""

import functools
import re
import subprocess
from collections import Counter

from .projects import PACKAGE, Application, Projects
from .results import Results, Row, Table, take_turns

OURS = f"from {PACKAGE} import create_app; create_app()"
THEIRS = "import flask; flask.Flask('bare')"
TIMED = "import time; started = time.perf_counter(); {}; print(time.perf_counter() - started)"

# What a request of most pages does not need.
HEAVY = ["alembic", "boto3", "botocore", "brotli", "mako", "pythonjsonlogger", "s3transfer"]


def measure(projects: Projects, rounds: int) -> Results:
    project = projects.ours("gunicorn")

    def milliseconds(code: str, **settings: str) -> float:
        return 1000 * float(project.python("-c", TIMED.format(code), **settings))

    sides = [
        functools.partial(milliseconds, OURS),
        functools.partial(milliseconds, THEIRS),
        functools.partial(milliseconds, OURS, DATABASE_URL=""),
        functools.partial(milliseconds, f"{THEIRS}; import flask_sqlalchemy"),
    ]
    take_turns(1, *sides)  # compiles
    ours, theirs, without_driver, with_sqlalchemy = take_turns(2 * rounds + 1, *sides)
    floor = "`import flask` and `Flask()`"
    yield Row("import and `create_app()`", floor, "ms", ours, theirs, "≤ 2.8")
    yield Row(
        "the same without a database, whose driver takes time",
        f"{floor}, for the record",
        "ms",
        without_driver,
        theirs,
    )
    yield Row(
        "`import flask, flask_sqlalchemy` and `Flask()`",
        f"{floor}, for the record",
        "ms",
        with_sqlalchemy,
        theirs,
    )
    loaded = project.python("-c", f"{OURS}; import sys; print(*sys.modules)").split()
    heavy = [name for name in HEAVY if name in loaded]
    yield Row(
        f"packages imported that most requests do not need: {', '.join(heavy) or 'none'}",
        "",
        "",
        [len(heavy)],
        target="≤ 0",
        of_ours=True,
    )
    yield Table(
        "Where the time of the import goes",
        ["package", "ms"],
        [[name, milliseconds] for name, milliseconds in by_package(project)],
        "By Python's `-X importtime`, which itself takes time, so only the proportions count.",
    )


def by_package(project: Application) -> list[tuple[str, float]]:
    """Return the top-level packages that take longest, with the milliseconds of their modules."""
    done = subprocess.run(
        [project.bin / "python", "-X", "importtime", "-c", OURS],
        cwd=project.folder,
        env=project.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    spent: Counter[str] = Counter()
    for own, module in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", done.stderr, re.M):
        spent[module.partition(".")[0]] += int(own)
    return [(name, round(own / 1000, 1)) for name, own in spent.most_common(12)]
