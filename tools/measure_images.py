"""Write docs/images.md: how large the image of each core combination is, and how fast.

Builds each with no cache, so it takes a few minutes. Needs Docker, and a machine that does nothing
else. Arguments name the combinations that are printed, and nothing is written.
"""

import platform
import re
import sys
import tempfile
import time
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parent.parent
sys.path[:0] = [str(TEMPLATE / "tests"), str(TEMPLATE / "tests" / "docker")]

from combinations import CORES, title  # noqa: E402
from engine import PREFIX, container, docker, eventually, remove_all  # noqa: E402
from sizes import size_needed, size_over_base  # noqa: E402

PAGE = TEMPLATE / "docs" / "images.md"
IMAGE = f"{PREFIX}-measured"
PACKAGE = "measured"
HEADINGS = ["combination", "over base", "needed", "ratio", "build", "rebuild", "start"]


def seconds_to_build(project: Path, *options: str) -> float:
    started = time.monotonic()
    docker("build", *options, "--tag", IMAGE, str(project), timeout=900)
    return time.monotonic() - started


def seconds_to_first_answer() -> float:
    started = time.monotonic()
    with container(IMAGE) as web:
        eventually(lambda: web.get("/").status_code == 200, "an answer on /")
        return time.monotonic() - started


def measure(folder: str, answers: dict[str, str]) -> list[str]:
    project = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers | {"project_slug": title(answers), "package_name": PACKAGE},
            output_dir=folder,
            default_config={"replay_dir": folder},
        )
    )
    built = seconds_to_build(project, "--no-cache")
    with (project / PACKAGE / "pages.py").open("a") as source:
        source.write("# changed\n")
    rebuilt = seconds_to_build(project)
    over, needed = size_over_base(IMAGE, base_of(project)), size_needed(project, IMAGE)
    return [
        title(answers),
        f"{over / 1e6:.1f}",
        f"{needed / 1e6:.1f}",
        f"{over / needed:.2f}",
        f"{built:.1f}",
        f"{rebuilt:.1f}",
        f"{min(seconds_to_first_answer() for _ in range(3)):.2f}",
    ]


def base_of(project: Path) -> str:
    return re.search(r"^FROM (\S+)$", (project / "Dockerfile").read_text(), re.MULTILINE)[1]


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def page(folder: str, combinations: list[dict[str, str]]) -> str:
    lines = []
    for answers in combinations:
        lines.append(row(measure(folder, answers)))
        print(lines[-1], end="", file=sys.stderr, flush=True)
    base = base_of(Path(folder, title(combinations[0])))
    docker_version = docker("version", "--format={{.Server.Version}}")
    processors, memory = docker("info", "--format={{.NCPU}} {{.MemTotal}}").split()
    machine = f"{processors} processors ({platform.machine()}) with {int(memory) / 1e9:.0f} GB"
    return f"""\
# The images

`make measure-images` wrote this page, on {machine},
with Docker {docker_version}, from {base}.

- over base: the size of the image without that of its base image, in MB of 10^6 bytes.
- needed: the size of the locked dependencies as pip installs them, and of the application, in MB.
- ratio: of the two. A test allows no more than 1.15.
- build: without any cache, which is how Divio builds, in seconds.
- rebuild: after a change of the source, in seconds.
- start: from `docker run` to the first answer on `/`, in seconds, the best of three. The aim is 3.

{row(HEADINGS)}{row(["---", *["---:"] * (len(HEADINGS) - 1)])}{"".join(lines)}"""


if __name__ == "__main__":
    chosen = [answers for answers in CORES if title(answers) in sys.argv[1:]]
    try:
        with tempfile.TemporaryDirectory() as folder:
            text = page(folder, chosen or CORES)
    finally:
        remove_all()
    print(text)
    if not chosen:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
