"""Move one file to or from a storage, once, and print the seconds and the megabytes as JSON.

Runs in the environment and the folder of a baked project, without the rest of the benchmarks:
each transfer has a process of its own, so that its memory is its own.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

NAME = "upload.bin"


def ours(dsn: str, direction: str, file: Path) -> Callable[[], None]:
    from my_flask_app.media import from_dsn

    storage = from_dsn(dsn)
    if direction == "upload":
        storage.delete(NAME)
    assert storage.exists(NAME) == (direction == "download")  # the client is made here

    def upload() -> None:
        with file.open("rb") as source:
            storage.save(NAME, source)

    def download() -> None:
        with storage.open(NAME) as source, file.open("wb") as target:
            shutil.copyfileobj(source, target)

    return {"upload": upload, "download": download}[direction]


def boto3s(dsn: str, direction: str, file: Path) -> Callable[[], None]:
    import boto3

    parts = urlsplit(dsn)
    bucket = parts.hostname
    client = boto3.client(
        "s3",
        endpoint_url=parse_qs(parts.query)["endpoint"][0],
        region_name="us-east-1",
        aws_access_key_id=parts.username,
        aws_secret_access_key=parts.password,
    )
    if direction == "upload":
        client.delete_object(Bucket=bucket, Key=NAME)
    else:
        client.head_object(Bucket=bucket, Key=NAME)

    def upload() -> None:
        with file.open("rb") as source:
            client.upload_fileobj(source, bucket, NAME)

    def download() -> None:
        with file.open("wb") as target:
            client.download_fileobj(bucket, NAME, target)

    return {"upload": upload, "download": download}[direction]


def copyfileobj(dsn: str, direction: str, file: Path) -> Callable[[], None]:
    stored = Path(urlsplit(dsn).path) / NAME
    if direction == "upload":
        stored.unlink(missing_ok=True)
    source, target = (file, stored) if direction == "upload" else (stored, file)

    def copy() -> None:
        with source.open("rb") as reader, target.open("wb") as writer:
            shutil.copyfileobj(reader, writer)

    return copy


def peak() -> float:
    """Return the most memory this process has had since the last reset, in MB."""
    status = Path("/proc/self/status").read_text()
    kilobytes = status.partition("VmHWM:")[2].split()[0]
    return int(kilobytes) * 1024 / 1e6


if __name__ == "__main__":
    side, dsn, direction, file = sys.argv[1:]
    move = {"ours": ours, "boto3": boto3s, "copyfileobj": copyfileobj}[side](
        dsn, direction, Path(file)
    )
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = peak()
    started = time.perf_counter()
    move()
    print(json.dumps({"seconds": time.perf_counter() - started, "growth": peak() - before}))
