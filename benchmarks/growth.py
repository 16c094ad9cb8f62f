"""Growth: more clients, more workers, larger uploads, on gunicorn."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .load import requests_per_second
from .media import MEGABYTE
from .projects import Projects
from .results import Results, Table
from .serving import HEADERS, Server, memory, serve, steady

CLIENTS = [10, 100, 1000]
WORKERS = [1, 2, 4]
UPLOADS = [1, 10, 100]  # megabytes
BOUNDARY = "of-the-benchmarks"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="upload.bin"\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def clients(projects: Projects, seconds: int) -> Results:
    rows: list[list[str | float]] = []
    for workers in WORKERS:
        with steady(projects.ours("gunicorn"), "/hello", WEB_CONCURRENCY=str(workers)) as server:
            requests_per_second(server, "/hello", 1)
            for number in CLIENTS:
                rate = requests_per_second(server, "/hello", seconds, number)
                processes = [server.process.pid, *server.workers()]
                total = sum(memory(pid)["PSS"] for pid in processes)
                rows.append([workers, number, round(rate), round(total, 1)])
    yield Table(
        "More clients and more workers",
        ["workers", "clients", "requests/s", "memory of all processes, MB"],
        rows,
        "`/hello` on gunicorn, with as many threads for a worker as ever. "
        "Memory is the share (PSS) of the first process and its workers after the load.",
    )


def uploads(projects: Projects, folder: Path, total: int) -> Results:
    """Send about `total` megabytes in uploads of each size, two at a time."""
    (folder / "uploads").mkdir()
    rows: list[list[str | float]] = []
    storage = f"file://{folder}/uploads/"
    project = projects.ours("gunicorn", with_views=True)
    with serve(project, "/hello", DEFAULT_STORAGE_DSN=storage) as server:
        upload_all(server, 1, 20)
        for megabytes in UPLOADS:
            for pid in server.workers():
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
            before = {pid: peak(pid) for pid in server.workers()}
            count = max(2, total // megabytes)
            seconds = upload_all(server, megabytes, count)
            grown = max(peak(pid) - size for pid, size in before.items())
            rows.append([megabytes, count, round(count * megabytes / seconds), round(grown, 1)])
    yield Table(
        "Larger uploads",
        ["MB of an upload", "uploads", "MB/s", "growth of a worker's memory, MB"],
        rows,
        "Forms with a file, two at a time, through gunicorn and media into a folder. "
        "Growth is the highest peak (VmHWM) of a worker over what it had before.",
    )


def upload_all(server: Server, megabytes: int, count: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: upload(server, megabytes), range(count)))
    return time.perf_counter() - started


def upload(server: Server, megabytes: int) -> None:
    length = len(HEAD) + megabytes * len(MEGABYTE) + len(TAIL)
    sent = HEADERS | {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(length),
    }
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", "/upload", body(megabytes), sent)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"An upload was answered with {answer.status}")
    finally:
        connection.close()


def body(megabytes: int) -> Iterator[bytes]:
    yield HEAD
    for _ in range(megabytes):
        yield MEGABYTE
    yield TAIL


def peak(pid: int) -> float:
    """Return the most memory a process has had since the last reset, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
