"""Print a Markdown table of the images: sizes in MB of 10^6 bytes, times in seconds.

Builds the image of each core combination with no cache, so it takes a few minutes. Needs Docker.
The last columns: how long a build takes, and a start up to the first answer of status 200.
"""

import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parent.parent
sys.path.insert(0, str(TEMPLATE / "tests"))

from combinations import CORES, title  # noqa: E402

IMAGE = "flask-divio-measured"
SIZES = "find {} -xdev -type f -printf '%s\\n' | awk '{{ sum += $1 }} END {{ print sum }}'"
HEADINGS = ["combination", "over base", "dependencies and app", "ratio", "build", "start"]


def docker(*arguments: str, stdin: str | None = None) -> str:
    command = ["docker", *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, input=stdin
    ).stdout.strip()


def size_of(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def size_in(image: str, *folders: str) -> int:
    return int(docker("run", "--rm", image, "sh", "-c", SIZES.format(" ".join(folders))))


def measure(folder: str, answers: dict[str, str]) -> list[str]:
    project = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers | {"project_slug": title(answers)},
            output_dir=folder,
            default_config={"replay_dir": folder},
        )
    )
    dockerfile = (project / "Dockerfile").read_text()
    base = re.search(r"^FROM (\S+)$", dockerfile, re.MULTILINE)[1]
    started = time.monotonic()
    docker("build", "--no-cache", "--tag", IMAGE, str(project))
    built = time.monotonic() - started
    over = size_of(IMAGE) - size_of(base)

    # The build up to where the locked dependencies are installed, bytecode included.
    installed = re.match(r".*? install .*?requirements\.txt\n", dockerfile, re.DOTALL)[0]
    docker("build", "--tag", f"{IMAGE}-step", "--file=-", str(project), stdin=installed)
    needed = size_in(f"{IMAGE}-step", "/opt/venv") + size_in(IMAGE, "/app")
    return [
        title(answers),
        f"{over / 1e6:.1f}",
        f"{needed / 1e6:.1f}",
        f"{over / needed:.2f}",
        f"{built:.1f}",
        f"{time_to_first_answer():.2f}",
    ]


def time_to_first_answer() -> float:
    started = time.monotonic()
    container = docker("run", "--detach", "--publish=127.0.0.1::80", IMAGE)
    try:
        address = docker("port", container, "80/tcp").splitlines()[0]
        while time.monotonic() - started < 60:
            try:
                urllib.request.urlopen(f"http://{address}/", timeout=5).close()
                return time.monotonic() - started
            except OSError:
                time.sleep(0.02)
        raise TimeoutError(docker("logs", container))
    finally:
        docker("rm", "--force", "--volumes", container)


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


print(row(HEADINGS))
print(row(["---", *["---:"] * (len(HEADINGS) - 1)]))
with tempfile.TemporaryDirectory() as folder:
    try:
        for answers in CORES:
            print(row(measure(folder, answers)), flush=True)
    finally:
        subprocess.run(["docker", "rmi", "--force", IMAGE, f"{IMAGE}-step"], capture_output=True)
