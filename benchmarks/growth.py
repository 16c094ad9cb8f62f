"""Growth: more clients, more workers, larger uploads, on gunicorn."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.comparisons import RATE, Results, Table, number
from benchmarks.servers import EVERY_CORE, OURS, image, memory, serve
from tests.harness import edge

CLIENTS = [10, 100, 1000]
WORKERS = [1, 2, 4]
UPLOADS = {1: 200, 10: 20, 100: 4}  # how many, by their megabytes


def clients(folder: Path, rounds: int) -> Results:
    run = partial(serve, image(folder, "gunicorn"), "gunicorn", OURS, "/hello")
    lines = []
    for workers in WORKERS:
        with run(cores=EVERY_CORE, WEB_CONCURRENCY=str(workers)) as server:
            for count in CLIENTS:
                rates = [server.load("/hello", count)[RATE] for _ in range(min(rounds, 2))]
                processes = [server.pid, *server.workers()]
                total = sum(memory(pid)["MB of PSS"] for pid in processes)
                lines.append([str(workers), str(count), number(max(rates)), number(total)])
    yield Table(
        "More clients and more workers",
        "`/hello` on gunicorn, on all cores. Memory is the share (PSS) of all processes after it.",
        ["workers", "clients", RATE, "MB"],
        lines,
    )


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
