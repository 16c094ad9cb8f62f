"""Media: a large file to and from S3 and a folder, against what moves it alone."""

import json
import urllib.request
from pathlib import Path

from .projects import Projects
from .results import Results, Row
from .serving import s3

SCRIPT = Path(__file__).parent / "transfer.py"
MEGABYTE = bytes(range(250)) * 4000


def measure(projects: Projects, folder: Path, rounds: int, megabytes: int) -> Results:
    folder.mkdir()
    write_file(folder / "file", megabytes)
    with s3(folder) as server:
        bucket = urllib.request.Request(server.url("/media"), method="PUT")
        urllib.request.urlopen(bucket).close()
        dsn = f"s3://key:secret@media/?endpoint={server.url('')}"
        yield from compare(projects, folder, "S3", dsn, "boto3", rounds, megabytes)
    (folder / "media").mkdir()
    yield from compare(
        projects, folder, "folder", f"file://{folder}/media/", "copyfileobj", rounds, megabytes
    )


def write_file(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(MEGABYTE)


def compare(
    projects: Projects,
    folder: Path,
    storage: str,
    dsn: str,
    other: str,
    rounds: int,
    megabytes: int,
) -> Results:
    project = projects.ours("gunicorn")
    directions = ["upload", "download"]
    rates = {(side, way): [] for side in ("ours", other) for way in directions}
    growth = {(side, way): [] for side in ("ours", other) for way in directions}
    for _ in range(rounds):
        for side in ("ours", other):
            for way in directions:
                file = folder / ("file" if way == "upload" else "copy")
                said = project.python(str(SCRIPT), side, dsn, way, str(file), PYTHONPATH=".")
                measured = json.loads(said)
                rates[side, way].append(megabytes / measured["seconds"])
                growth[side, way].append(measured["growth"])
            if (folder / "copy").stat().st_size != (folder / "file").stat().st_size:
                raise RuntimeError(f"{side} did not bring the file back whole")
            (folder / "copy").unlink()
    for way in directions:
        call = {"boto3": f"boto3's `{way}_fileobj`", "copyfileobj": "`shutil.copyfileobj`"}[other]
        what = f"{way} of {megabytes} MB, {storage}"
        yield Row(what, call, "MB/s", rates["ours", way], rates[other, way], "≥ 0.9")
        yield Row(
            f"growth of memory in it, {storage} {way}",
            call,
            "MB",
            growth["ours", way],
            growth[other, way],
            "≤ 20 MB",
            of_ours=True,
        )
