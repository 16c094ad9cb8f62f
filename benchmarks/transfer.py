"""Move a file to or from a storage, once, and print what that took as JSON.

Runs in the image of a baked project. Each transfer has a process of its own, so that its memory is
its own: "seconds", and "grown", the megabytes that its peak rose by.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

FILE, COPY = Path("/moved/file"), Path("/moved/copy")
NAME = "upload.bin"


# Each returns what saves and what loads. All that these need is imported and connected then, and
# no file has to make way: to replace one costs time of its own.
def ours(dsn: str) -> tuple[Callable, Callable]:
    from my_flask_app.media import from_dsn

    storage = from_dsn(dsn)
    if way == "upload":
        storage.delete(NAME)
    assert storage.exists(NAME) == (way == "download")
    return (
        lambda source: storage.save(NAME, source),
        lambda target: shutil.copyfileobj(storage.open(NAME), target),
    )


def boto3(dsn: str) -> tuple[Callable, Callable]:
    import boto3

    parts = urlsplit(dsn)
    client = boto3.client(
        "s3",
        endpoint_url=parse_qs(parts.query)["endpoint"][0],
        region_name="us-east-1",
        aws_access_key_id=parts.username,
        aws_secret_access_key=parts.password,
    )
    bucket = parts.hostname
    if way == "upload":
        client.delete_object(Bucket=bucket, Key=NAME)
    client.list_objects_v2(Bucket=bucket)
    return (
        lambda source: client.upload_fileobj(source, bucket, NAME),
        lambda target: client.download_fileobj(bucket, NAME, target),
    )


def copyfileobj(dsn: str) -> tuple[Callable, Callable]:
    stored = Path(urlsplit(dsn).path, NAME)
    if way == "upload":
        stored.unlink(missing_ok=True)

    def save(source) -> None:
        with stored.open("wb") as target:
            shutil.copyfileobj(source, target)

    def load(target) -> None:
        with stored.open("rb") as source:
            shutil.copyfileobj(source, target)

    return save, load


def peak() -> float:
    """Return the most memory that this process has had since the last reset, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


side, dsn, way = sys.argv[1:]
save, load = {"ours": ours, "boto3": boto3, "copyfileobj": copyfileobj}[side](dsn)
with FILE.open("rb") if way == "upload" else COPY.open("wb") as file:
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, started = peak(), time.perf_counter()
    (save if way == "upload" else load)(file)
    seconds, grown = time.perf_counter() - started, peak() - before
if way == "download":
    assert COPY.stat().st_size == FILE.stat().st_size
print(json.dumps({"seconds": seconds, "grown": grown}))
