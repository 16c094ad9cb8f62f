"""Bake, as a whole process, against a template of one file."""

import itertools
import subprocess
import time
from pathlib import Path

from . import TEMPLATE
from .projects import tool
from .results import Results, Row, take_turns


def measure(folder: Path, rounds: int) -> Results:
    folder.mkdir()
    one_file = folder / "one-file"
    (one_file / "{{cookiecutter.name}}").mkdir(parents=True)
    (one_file / "cookiecutter.json").write_text('{"name": "one"}\n')
    (one_file / "{{cookiecutter.name}}" / "README").write_text("{{ cookiecutter.name }}\n")
    config = folder / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {folder}/replay\ncookiecutters_dir: {folder}/cookiecutters\n")
    numbers = itertools.count()

    def bake(template: Path) -> float:
        output = ["--output-dir", str(folder / str(next(numbers)))]
        command = [tool("cookiecutter"), str(template), "--no-input", "--config-file", str(config)]
        started = time.perf_counter()
        subprocess.run([*command, *output], check=True, capture_output=True)
        return time.perf_counter() - started

    take_turns(1, lambda: bake(TEMPLATE), lambda: bake(one_file))  # reads the files from disk
    ours, theirs = take_turns(2 * rounds + 1, lambda: bake(TEMPLATE), lambda: bake(one_file))
    yield Row(
        "bake, the whole process with default answers",
        "cookiecutter on a template of one file",
        "s",
        ours,
        theirs,
        "≤ 1.4",
    )
