"""What is done once: bake, import, start."""

import itertools
import time
from functools import partial
from pathlib import Path

from benchmarks.comparisons import Results, Sample, rows, take_turns
from benchmarks.servers import OURS, command, image, options
from tests.harness import edge
from tests.harness.choices import TEMPLATE
from tests.harness.engine import container
from tests.harness.processes import eventually, run

TIMED = "import time; started = time.perf_counter(); {}; print(time.perf_counter() - started)"
START = "from my_flask_app import create_app; create_app()"
FLASK = "import flask; flask.Flask('bare')"


def bake(folder: Path, rounds: int) -> Results:
    """Bake as a whole process."""
    one_file = folder / "one-file"
    (one_file / "{{cookiecutter.name}}").mkdir(parents=True)
    (one_file / "cookiecutter.json").write_text('{"name": "one"}\n')
    (one_file / "{{cookiecutter.name}}" / "README").write_text("{{ cookiecutter.name }}\n")
    config = folder / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {folder}/replay\n")
    numbers = itertools.count()

    def seconds(template: Path) -> Sample:
        output = folder / f"baked-{next(numbers)}"
        started = time.perf_counter()
        run("cookiecutter", template, "--no-input", "--config-file", config, "-o", output)
        return {"s": time.perf_counter() - started}

    sides = [partial(seconds, template) for template in (TEMPLATE, one_file)]
    yield from rows("bake", "", *take_turns(2 * rounds + 1, *sides))


def start(folder: Path, rounds: int) -> Results:
    """Import and make the application, in a process that does nothing else."""
    with container(image(folder, "gunicorn").name, "sleep", "3600", options=options()) as idle:

        def milliseconds(code: str) -> Sample:
            return {"ms": 1000 * float(idle.execute("python", "-c", TIMED.format(code)))}

        codes = [START, f"import flask_sqlalchemy; {FLASK}", FLASK]
        sides = [partial(milliseconds, code) for code in codes]
        ours, extension, theirs = take_turns(2 * rounds + 1, *sides)
    yield from rows("start", "", ours, theirs)
    yield from rows("extension", "", extension, theirs)


def first_answer(folder: Path, rounds: int) -> Results:
    built = image(folder, "gunicorn")

    def seconds(application: str) -> Sample:
        started = time.perf_counter()
        with container(built.name, *command("gunicorn", application), options=options()) as web:
            url = f"{web.url}/hello"
            eventually(lambda: edge.get(url).status_code == 200, "a first answer")
            return {"s": time.perf_counter() - started}

    sides = [partial(seconds, application) for application in (OURS, "bare")]
    yield from rows("first answer", "gunicorn", *take_turns(rounds, *sides))
