"""Gateway servers in the image of a baked project: run, put under load, and looked into."""

import contextlib
import csv
import functools
import math
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.comparisons import CPU, RATE, Sample
from tests.harness import databases
from tests.harness.baked import Baked, bake
from tests.harness.edge import DOMAIN, FORWARDED
from tests.harness.engine import PREFIX, Container, container, docker, inspect
from tests.harness.images import Image, build
from tests.harness.processes import eventually, run

APPLICATIONS = Path(__file__).parent / "applications"
SERVERS = ["gunicorn", "uwsgi"]
OURS = "ours"
STATIC_FILES = {"10 KB": 10_000, "1 MB": 1_000_000}
CLIENTS = 16
SECONDS = 2  # of load, in each round

# What Divio sets for a deployment; nothing asks this bucket or this database for anything.
DEPLOYED = {
    "STAGE": "live",
    "SECRET_KEY": "of-the-benchmarks",
    "DATABASE_URL": "postgres://postgres@127.0.0.1:5432/db",
    "DEFAULT_STORAGE_DSN": "s3://key:secret@bucket.s3.eu-central-1.amazonaws.com/",
    "DOMAIN": DOMAIN,
}
# The server has a core of its own, so that the load takes nothing from it.
ITS_CORE = "0"
EVERY_CORE = f"0-{(os.cpu_count() or 1) - 1}"
OTHER_CORES = EVERY_CORE.replace("0", "1", 1)


@functools.cache
def image(folder: Path, server: str) -> Image:
    """Build the default project for a server, with what the benchmarks add."""
    own = folder / server
    own.mkdir()
    baked = bake(own, gateway_server=server)
    baked.grow(APPLICATIONS / "measured.py")
    shutil.copytree(APPLICATIONS, baked.folder / "floors")
    for static in (baked.folder / baked.package / "static", baked.folder / "floors" / "static"):
        static.mkdir(exist_ok=True)
        for size in STATIC_FILES.values():
            (static / f"{size}.txt").write_text("Hello, World!\n" * (size // 14))
    if server == "uwsgi":
        write_settings_of_uwsgi(baked)
    return build(baked, f"measured-{server}")


def write_settings_of_uwsgi(baked: Baked) -> None:
    """Write those of each application, which an option could not change: the file's win."""
    lasting = re.sub(r"^max-requests.*\n", "", baked.text("uwsgi.ini"), flags=re.MULTILINE)
    (baked.folder / f"{OURS}.ini").write_text(lasting)
    # With the limits of requests, which gunicorn's settings have for all that it serves.
    factory = f"from {baked.package} import create_app"
    for path in APPLICATIONS.glob("*.py"):
        text = lasting.replace("module = uwsgi_app\n", f"module = floors.{path.stem}_served\n")
        assert text != lasting
        if path.stem == "same":
            text = text.replace("disable-logging = true\n", "")
        (baked.folder / f"{path.stem}.ini").write_text(text)
        served = baked.text("uwsgi_app.py")
        assert factory in served
        served = served.replace(factory, f"from floors.{path.stem} import app")
        served = served.replace("create_app()", "app")
        (baked.folder / "floors" / f"{path.stem}_served.py").write_text(served)


def command(server: str, application: str) -> list[str]:
    """Return what runs an application with the project's settings, but lasting workers.

    A second of load has as many requests as hours of a site, and would replace them all the time.
    """
    if server == "uwsgi":
        return ["uwsgi", f"{application}.ini"]
    chosen = [] if application == OURS else [f"floors.{application}:app"]
    log = ["--access-logfile=-"] if application == "same" else []
    return ["gunicorn", "--max-requests=0", *log, *chosen]


def options(**settings: str) -> tuple[str, ...]:
    """Return options of `docker run` for a container that does nothing but what is measured."""
    environment = (DEPLOYED | settings).items()
    return ("--no-healthcheck", *(f"--env={name}={value}" for name, value in environment))


@dataclass(frozen=True)
class Server:
    """A container that serves, and the process on this machine that is its first one."""

    container: Container
    pid: int

    def load(self, path: str, clients: int = CLIENTS) -> Sample:
        """Ask as fast as it answers."""
        before = self.cpu_seconds()
        said = self.beside(
            *["wrk", "--threads=1", f"--connections={clients}", f"--duration={SECONDS}s"],
            *["--timeout=20s", *headers(), f"http://127.0.0.1{path}"],
        )
        used = self.cpu_seconds() - before
        if failed := re.search(r"Non-2xx.*|Socket errors:.*", said):
            raise AssertionError(f"{path}, {clients} clients: {failed[0]}")
        requests = int(re.search(r"(\d+) requests in", said)[1])
        return {
            RATE: float(re.search(r"Requests/sec: +([\d.]+)", said)[1]),
            CPU: 1e6 * used / requests,
        }

    def latencies(self, path: str, *limits: str) -> list[float]:
        """Return the seconds that each request took, sorted; hey knows the limits."""
        said = self.beside(
            *["hey", "-c", str(CLIENTS), *limits, "-disable-keepalive", "-host", DOMAIN],
            *["-o", "csv", *headers(), f"http://127.0.0.1{path}"],
        )
        answers = list(csv.DictReader(said.splitlines()))
        if wrong := [answer for answer in answers if answer["status-code"] != "200"]:
            raise AssertionError(f"{len(wrong)} of {len(answers)} answers on {path} were not 200")
        return sorted(float(answer["response-time"]) for answer in answers)

    def p99(self, path: str, rate: float) -> Sample:
        each = f"{rate / CLIENTS:.3f}"
        times = self.latencies(path, "-z", f"{SECONDS}s", "-q", each)
        return {"ms": 1000 * times[math.ceil(0.99 * len(times)) - 1]}

    def beside(self, *command: str) -> str:
        """Run a command in the container's network, on the cores that are not the server's.

        What asks there meets neither Docker's proxy nor the firewall's table of connections.
        """
        network = f"--net=/proc/{self.pid}/ns/net"
        return run("nsenter", network, "taskset", "--cpu-list", OTHER_CORES, *command)

    def cpu_seconds(self) -> float:
        """Return what all processes of the container have used, in user and system mode."""
        for line in Path(f"/proc/{self.pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "cpuacct" in controllers.split(","):
                return int(Path(f"/sys/fs/cgroup/cpuacct{path}/cpuacct.usage").read_text()) / 1e9
        said = Path(f"/sys/fs/cgroup{path}/cpu.stat").read_text()
        return int(re.search(r"usage_usec (\d+)", said)[1]) / 1e6

    def workers(self) -> list[int]:
        """Return the processes that answer requests: uWSGI's router, of one thread, does not."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(pid) for pid in children if len(list(Path(f"/proc/{pid}/task").iterdir())) > 1]


@contextlib.contextmanager
def serve(
    image: Image,
    server: str,
    application: str,
    path: str,
    *,
    network: str = "bridge",
    cores: str = ITS_CORE,
    **settings: str,
) -> Iterator[Server]:
    """Run an application until it answers `path` with 200, and stop it in the end."""
    # Into a file, because what the engine does with a line is no cost of the application.
    run_it = f"exec {shlex.join(command(server, application))} >/log/log 2>&1"
    with tempfile.TemporaryDirectory() as log:
        where = (f"--network={network}", f"--cpuset-cpus={cores}", f"--volume={log}:/log")
        its = (*options(**settings), *where)
        with container(image.name, "sh", "-c", run_it, options=its) as web:
            try:
                eventually(lambda: web.is_answering(path), f"{application} answers {path}")
                yield Server(web, inspect(web.name)["State"]["Pid"])
            except BaseException as error:
                error.add_note(Path(log, "log").read_text()[-2000:])
                raise


@contextlib.contextmanager
def postgres() -> Iterator[tuple[psycopg.Connection, dict[str, str]]]:
    """Have a Postgres with the row that `/row` reads.

    Yields a connection to it, and the options with which `serve` uses it.
    """
    network, name = f"{PREFIX}-network", f"{PREFIX}-postgres"
    docker("network", "create", network)
    try:
        with (
            databases.in_container("postgres", f"--network={network}", name=name) as server,
            databases.connect(databases.url_of("postgres", server.address)) as connection,
        ):
            connection.execute("CREATE TABLE note (id integer PRIMARY KEY, text text NOT NULL)")
            connection.execute("INSERT INTO note VALUES (1, 'Hello, World!')")
            url = databases.url_of("postgres", f"{name}:5432") + "/postgres"
            yield connection, {"network": network, "DATABASE_URL": url}
    finally:
        docker("network", "rm", network)


def headers() -> list[str]:
    sent = FORWARDED | {"Connection": "close"}
    return [part for name, value in sent.items() for part in ("-H", f"{name}: {value}")]


def memory(pid: int) -> dict[str, float]:
    """Return the megabytes of a process: its share of all it maps, and what is its own."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    kilobytes = {
        "MB of PSS": sizes["Pss:"],
        "MB of USS": sizes["Private_Clean:"] + sizes["Private_Dirty:"],
    }
    return {name: size * 1024 / 1e6 for name, size in kilobytes.items()}
