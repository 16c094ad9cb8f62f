"""The image of each core combination: how large it is, and how long it takes to build."""

import re
import time
from pathlib import Path

from benchmarks.comparisons import Results, Table, number, rows
from tests.harness.baked import bake
from tests.harness.choices import CORES, label
from tests.harness.engine import PREFIX, docker
from tests.harness.images import Image


def images(folder: Path, rounds: int) -> Results:
    lines, sizes, reinstalled = [], {}, 0
    for answers in CORES if rounds > 2 else CORES[:1]:
        own = folder / label(answers)
        own.mkdir()
        baked = bake(own, **answers)
        image = Image(baked, f"{PREFIX}-{baked}")
        built, _ = build(image, "--no-cache")
        with (baked.folder / baked.package / "pages.py").open("a") as source:
            source.write("# changed\n")
        rebuilt, said = build(image, "--progress=plain")
        step = re.search(r"^#(\d+) \[.*pip .* install .*requirements\.txt", said, re.MULTILINE)[1]
        reinstalled += not re.search(rf"^#{step} CACHED", said, re.MULTILINE)
        over, needed = image.size_over_base() / 1e6, image.size_needed() / 1e6
        sizes[over / needed] = {"MB": over}, {"MB": needed}
        measured = [over, needed, over / needed, built, rebuilt]
        lines.append([str(baked), *map(number, measured)])
    over, needed = sizes[max(sizes)]
    yield from rows("size", "", [over], [needed])
    yield from rows("rebuild", "", [{"images": reinstalled}])
    yield Table(
        "Images",
        "Size over the base image and what is needed for it, in MB of 10^6 bytes: the locked "
        "dependencies as pip installs them, and the application. Seconds to build without any "
        "cache, as Divio does, and to build again after a change of the source.",
        ["combination", "over base", "needed", "ratio", "build", "rebuild"],
        lines,
    )


def build(image: Image, *options: str) -> tuple[float, str]:
    """Build an image; return the seconds that it took, and what Docker said."""
    started = time.perf_counter()
    command = ["build", *options, f"--tag={image.name}", str(image.baked.folder)]
    said = docker(*command, timeout=900)
    return time.perf_counter() - started, said
