"""Load: as fast as it goes with wrk, at a steady rate with hey."""

import csv
import math
import re
import subprocess
import time
from pathlib import Path

from .serving import HEADERS, Server

CLIENTS = 16


def requests_per_second(server: Server, path: str, seconds: int, clients: int = CLIENTS) -> float:
    """Ask as fast as the server answers. What goes wrong is printed.

    Each request has a connection of its own, because with lasting ones all clients of gunicorn's
    threads may end up at one of its workers.
    """
    check(server, path)
    said = run(
        *["wrk", "--threads=1", f"--connections={clients}", f"--duration={seconds}s"],
        *["--timeout=20s", *headers(), server.url(path)],
    )
    if failed := re.search(r"Non-2xx.*|Socket errors:.*", said):
        print(f"  {path}, {clients} clients: {failed[0]}")
    return float(re.search(r"Requests/sec: +([\d.]+)", said)[1])


def latencies(server: Server, path: str, seconds: float, rate: float = 0) -> list[float]:
    """Return the seconds that each request took, sorted, at a rate, or as fast as it goes."""
    check(server, path)
    limit = ["-q", f"{rate / CLIENTS:.3f}"] if rate else []
    said = run(
        *["hey", "-z", f"{seconds}s", "-c", str(CLIENTS), *limit, "-disable-keepalive"],
        *["-host", HEADERS["Host"], "-o", "csv", *headers(), server.url(path)],
    )
    rows = list(csv.DictReader(said.splitlines()))
    if wrong := [row for row in rows if row["status-code"] != "200"]:
        raise RuntimeError(f"{len(wrong)} of {len(rows)} answers on {path} were not 200")
    return sorted(float(row["response-time"]) for row in rows)


def ask(server: Server, path: str, requests: int) -> None:
    check(server, path)
    run(
        *["hey", "-n", str(requests), "-c", "8", "-disable-keepalive"],
        *["-host", HEADERS["Host"], *headers(), server.url(path)],
    )


def percentile(values: list[float], share: float) -> float:
    return values[math.ceil(share * len(values)) - 1]


def check(server: Server, path: str) -> None:
    wait_for_room()
    status, _ = server.get(path)
    if status != 200:
        raise RuntimeError(f"{path} was answered with {status}")


def wait_for_room() -> None:
    """Wait until the kernel has forgotten most connections.

    A firewall, such as Docker's, has it follow each one for two minutes, and drop new ones when
    its table is full.
    """
    table = Path("/proc/sys/net/netfilter")
    while table.exists():
        followed = int((table / "nf_conntrack_count").read_text())
        if followed < int((table / "nf_conntrack_max").read_text()) * 0.75:
            return
        time.sleep(1)


def headers() -> list[str]:
    return [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]


def run(name: str, *arguments: str) -> str:
    done = subprocess.run([name, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stdout}{done.stderr}")
    return done.stdout
