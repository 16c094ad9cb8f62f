"""Media: a large file to and from S3 and a folder, against what moves it alone."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.comparisons import Results, Sample, rows, take_turns
from benchmarks.servers import Server, image, options
from tests.harness.engine import container, inspect
from tests.harness.processes import eventually

SCRIPT = Path(__file__).with_name("transfer.py")
MEGABYTES = 200
S3 = "http://127.0.0.1:5000"
MAKE_BUCKET = f"import urllib.request as r; r.urlopen(r.Request('{S3}/media', method='PUT'))"
STORAGES = {
    "S3": (f"s3://key:secret@media/?endpoint={S3}", "boto3"),
    "folder": ("file:///moved/media/", "copyfileobj"),
}


def media(folder: Path, rounds: int) -> Results:
    work = folder / "work"
    (work / "media").mkdir(parents=True)
    (work / "transfer.py").write_text(SCRIPT.read_text())
    with (work / "file").open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(bytes(range(250)) * 4000)
    its = (*options(), f"--volume={work}:/moved", "--env=PYTHONPATH=/app")
    with container(image(folder, "gunicorn").name, "sleep", "3600", options=its) as idle:

        def transfer(side: str, dsn: str, way: str) -> Sample:
            said = idle.execute("python", "/moved/transfer.py", side, dsn, way)
            measured = json.loads(said.splitlines()[-1])
            return {"MB/s": MEGABYTES / measured["seconds"], "MB grown": measured["grown"]}

        with s3_beside(Server(idle, inspect(idle.name)["State"]["Pid"])):
            for storage, (dsn, other) in STORAGES.items():
                for way in ("upload", "download"):
                    sides = [partial(transfer, side, dsn, way) for side in ("ours", other)]
                    yield from rows(f"{storage} {way}", "", *take_turns(min(rounds, 3), *sides))


@contextlib.contextmanager
def s3_beside(server: Server) -> Iterator[None]:
    """Have an S3 API with an empty bucket in the network of a container."""
    network = ["nsenter", f"--net=/proc/{server.pid}/ns/net"]
    api = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "5000"]
    with subprocess.Popen([*network, *api], stderr=subprocess.DEVNULL) as process:
        try:
            make = partial(server.container.execute, "python", "-c", MAKE_BUCKET)
            eventually(lambda: make() == "", "an S3 API that makes a bucket")
            yield
        finally:
            process.terminate()
