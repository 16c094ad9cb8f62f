"""Recipes: what each adds to the image, the memory and the start of the default project."""

import statistics
import time
from pathlib import Path

from benchmarks.comparisons import Results, Sample, Table, number
from benchmarks.servers import DEPLOYED, memory
from tests.harness.baked import bake
from tests.harness.engine import container, inspect
from tests.harness.images import Image, build
from tests.harness.processes import descendants, eventually, run
from tests.harness.recipes import NAMES, Recipe


def recipes(folder: Path, rounds: int) -> Results:
    plain = image(folder, "plain")
    lines = []
    for name in NAMES:
        if name == "front-end":  # only what npm bundles, by an image of Node.js
            continue
        built = image(folder, name, Recipe(name))
        # In turns, because the machine may be busier at one time than at another.
        samples = [(of_a_container(built), of_a_container(plain)) for _ in range(rounds)]
        added = {"image": (built.size_over_base() - plain.size_over_base()) / 1e6}
        for unit in samples[0][0]:
            added[unit] = statistics.median(ours[unit] - base[unit] for ours, base in samples)
        lines.append([name, *(number(added[unit]) for unit in ("image", "memory", "start"))])
    yield Table(
        "Recipes",
        "What a recipe, with those that it needs, adds to the default project: MB of the image, MB "
        "of all processes of a container (PSS) after its first answer, and seconds until that.",
        ["recipe", "MB of the image", "MB of memory", "s to start"],
        lines,
    )


def image(folder: Path, name: str, *recipes: Recipe) -> Image:
    own = folder / f"recipe-{name}"
    own.mkdir()
    baked = bake(own)
    for recipe in recipes:
        recipe.put_into(baked)
        run("make", "--old-file=install", "lock", folder=baked.folder)
    return build(baked, f"recipe-{name}")


def of_a_container(built: Image) -> Sample:
    options = [f"--env={key}={value}" for key, value in DEPLOYED.items()]
    started = time.perf_counter()
    with container(built.name, options=options) as web:
        eventually(lambda: web.get("/healthz").status_code == 200, f"{built.name} answers")
        seconds = time.perf_counter() - started
        pid = inspect(web.name)["State"]["Pid"]
        return {
            "start": seconds,
            "memory": sum(memory(process)["MB of PSS"] for process in [pid, *descendants(pid)]),
        }
