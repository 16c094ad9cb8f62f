"""Growth: more clients, more workers, more containers, larger uploads, on gunicorn."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.comparisons import RATE, Results, Table, number
from benchmarks.servers import EVERY_CORE, OURS, Server, image, memory, postgres, serve
from tests.harness import edge

CLIENTS = [10, 100, 1000]
WORKERS = [1, 2, 4]
CONTAINERS = [(1, 1), (1, 2), (2, 2), (4, 2)]  # and the workers of each
CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
UPLOADS = {1: 200, 10: 20, 100: 4}  # how many, by their megabytes


def clients(folder: Path, rounds: int) -> Results:
    run = partial(serve, image(folder, "gunicorn"), "gunicorn", OURS, "/hello")
    lines = []
    for workers in WORKERS:
        with run(cores=EVERY_CORE, WEB_CONCURRENCY=str(workers)) as server:
            for count in CLIENTS:
                rates = [server.load("/hello", count)[RATE] for _ in range(min(rounds, 2))]
                line = [str(workers), str(count), number(max(rates)), number(megabytes(server))]
                lines.append(line)
    yield Table(
        "More clients and more workers",
        "`/hello` on gunicorn, on all cores. Memory is the share (PSS) of all processes after it.",
        ["workers", "clients", RATE, "MB"],
        lines,
    )


def containers(folder: Path, rounds: int) -> Results:
    built, lines = image(folder, "gunicorn"), []
    with postgres() as (connection, options):
        for count, workers in CONTAINERS:
            settings = {"CONTAINERS": str(count), "WEB_CONCURRENCY": str(workers)} | options
            run = partial(serve, built, "gunicorn", OURS, "/row", cores=EVERY_CORE, **settings)
            with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
                servers = [stack.enter_context(run()) for _ in range(count)]
                rest = sum(map(megabytes, servers))
                loads = [list(pool.map(load_row, servers)) for _ in range(min(rounds, 3))]
                rate = max(map(sum, loads))
                total = sum(map(megabytes, servers))
                used = connection.execute(CONNECTIONS).fetchone()[0]
            values = [rate, rest, total, used]
            lines.append([str(count), str(workers), *map(number, values)])
    yield Table(
        "More containers",
        "`/row` on gunicorn, which reads one row of Postgres, with 16 clients for each container. "
        "All containers, the database and the clients share all cores. Memory is the share (PSS) "
        "of all processes of all containers, at rest and after it.",
        ["containers", "workers of each", RATE, "MB at rest", "MB after", "connections"],
        lines,
    )


def load_row(server: Server) -> float:
    return server.load("/row")[RATE]


def megabytes(server: Server) -> float:
    return sum(memory(pid)["MB of PSS"] for pid in [server.pid, *server.workers()])


def uploads(folder: Path, rounds: int) -> Results:
    settings = {"DEFAULT_STORAGE_DSN": "file:///data/media/"}
    built, lines = image(folder, "gunicorn"), []
    with serve(built, "gunicorn", OURS, "/hello", cores=EVERY_CORE, **settings) as server:

        def upload(megabytes: int) -> None:
            file = {"file": ("upload.bin", bytes(megabytes * 10**6))}
            answer = edge.post(f"{server.container.url}/upload", files=file)
            assert answer.status_code == 200, answer.text

        def upload_all(megabytes: int, count: int) -> None:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(upload, [megabytes] * count))

        upload_all(1, 20)
        for megabytes, count in UPLOADS.items():
            before = {}
            for pid in server.workers():
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
                before[pid] = peak(pid)
            upload_all(megabytes, count)
            grown = max(peak(pid) - size for pid, size in before.items())
            lines.append([str(megabytes), str(count), number(grown)])
    yield Table(
        "Larger uploads",
        "Forms with a file, two at a time, through gunicorn and media into a folder. Growth is "
        "the highest peak (VmHWM) of a worker over what it had before.",
        ["MB of an upload", "uploads", "MB grown"],
        lines,
    )


def peak(pid: int) -> float:
    """Return the most memory a process has had since the last reset, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
