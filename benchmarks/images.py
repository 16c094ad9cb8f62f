"""Images: how long they take to build, and to answer, on a Docker engine.

What each combination's image weighs is in docs/images.md, which `make measure-images` writes.
"""

import functools
import http.client
import re
import shutil
import time
from pathlib import Path

from engine import PREFIX, container, docker, remove_all

from .projects import DEPLOYED, PACKAGE, Projects, tool
from .results import Results, Row, take_turns
from .serving import get

PORT = 80
OURS, BARE, UV = f"{PREFIX}-ours", f"{PREFIX}-bare", f"{PREFIX}-uv"
PAGE_OF_SIZES = Path(__file__).parent.parent / "docs" / "images.md"

# The same Flask under the same settings, without what the template adds to the image.
BARE_DOCKERFILE = """\
FROM {base}
RUN python -m venv --without-pip /opt/venv
WORKDIR /app
COPY requirements.txt ./
RUN pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
RUN /opt/venv/bin/python -m compileall -q .
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 80
CMD ["gunicorn"]
"""
# uv is there already. pip compiles what it installs, which uv only does when told.
UV_DOCKERFILE = """\
FROM {uv}
RUN uv venv --quiet /opt/venv
COPY requirements.txt ./
RUN uv pip install --quiet --python /opt/venv/bin/python --no-cache {options} \
    --require-hashes -r requirements.txt
"""


def measure(projects: Projects, folder: Path, rounds: int) -> Results:
    try:
        yield from build(projects, folder, min(rounds, 3))
        yield from rebuild(projects, min(rounds, 3))
        yield from start(projects, rounds)
        yield from size()
    finally:
        remove_all()


def build(projects: Projects, folder: Path, rounds: int) -> Results:
    project = projects.ours("gunicorn").folder
    with_uv = folder / "uv"
    with_uv.mkdir()
    shutil.copy(tool("uv"), with_uv)
    (with_uv / "Dockerfile").write_text(f"FROM {base(project)}\nCOPY uv /usr/local/bin/uv\n")
    docker("build", "--tag", UV, str(with_uv))
    (with_uv / "uv").unlink()
    shutil.copy(project / "requirements.txt", with_uv)

    def seconds_with_uv(options: str) -> float:
        (with_uv / "Dockerfile").write_text(UV_DOCKERFILE.format(uv=UV, options=options))
        return seconds_to_build(with_uv, f"{UV}-installed", "--no-cache")

    bringing_uv = shutil.copytree(project, folder / "bringing-uv")
    bring_uv(bringing_uv / "Dockerfile")
    ours, compiled, plain, brought = take_turns(
        rounds,
        functools.partial(seconds_to_build, project, OURS, "--no-cache"),
        functools.partial(seconds_with_uv, "--compile-bytecode"),
        functools.partial(seconds_with_uv, ""),
        functools.partial(seconds_to_build, bringing_uv, f"{UV}-brought", "--no-cache"),
    )
    what = "`docker build --no-cache`"
    yield Row(what, "uv installs the same lock, and compiles it", "s", ours, compiled, "≤ 1.3")
    yield Row(what, "uv installs the same lock, uncompiled", "s", ours, plain)
    yield Row(
        what, "the same with uv, which pip installs first, for the record", "s", ours, brought
    )


def bring_uv(dockerfile: Path) -> None:
    """Let uv install, and pip only uv."""
    pip = "pip --python /opt/venv/bin/python install --no-cache-dir"
    uv = "uv pip install --python /opt/venv/bin/python --no-cache --compile-bytecode"
    text = dockerfile.read_text()
    assert pip in text
    dockerfile.write_text(text.replace(pip, f"pip install --no-cache-dir uv && {uv}"))


def rebuild(projects: Projects, rounds: int) -> Results:
    project = projects.ours("gunicorn").folder
    seconds, reinstalled = [], 0
    for number in range(rounds):
        with (project / PACKAGE / "pages.py").open("a") as source:
            source.write(f"# change {number}\n")
        started = time.perf_counter()
        said = docker("build", "--progress=plain", "--tag", OURS, str(project), timeout=900)
        seconds.append(time.perf_counter() - started)
        step = re.search(r"^#(\d+) \[.*pip .* install .*requirements\.txt", said, re.MULTILINE)[1]
        reinstalled += not re.search(rf"^#{step} CACHED", said, re.MULTILINE)
    yield Row("`docker build` after a change of the source", "", "s", seconds)
    yield Row(
        "dependencies reinstalled in it", "", "times", [reinstalled], target="≤ 0", of_ours=True
    )


def start(projects: Projects, rounds: int) -> Results:
    project, bare = projects.ours("gunicorn").folder, projects.bare("gunicorn").folder
    (bare / "Dockerfile").write_text(BARE_DOCKERFILE.format(base=base(project)))
    docker("build", "--tag", OURS, str(project), timeout=900)
    docker("build", "--tag", BARE, str(bare), timeout=900)
    ours, theirs = take_turns(
        rounds,
        functools.partial(seconds_to_first_answer, OURS),
        functools.partial(seconds_to_first_answer, BARE),
    )
    yield Row(
        "from `docker run` to the first 200", "bare Flask and gunicorn", "s", ours, theirs, "≤ 1.5"
    )


def size() -> Results:
    """Take the size of the default project's image from its own page, where that is."""
    if PAGE_OF_SIZES.exists():
        page = PAGE_OF_SIZES.read_text()
        if found := re.search(r"^\| postgres-gunicorn-s3 \|(.*)\|$", page, re.MULTILINE):
            over, needed = (float(cell) for cell in found[1].split("|")[:2])
            yield Row(
                "size over the base image",
                "the locked dependencies and the application, [images.md](images.md)",
                "MB",
                [over],
                [needed],
                "≤ 1.15",
            )


def base(project: Path) -> str:
    return re.search(r"^FROM (\S+)$", (project / "Dockerfile").read_text(), re.MULTILINE)[1]


def seconds_to_build(folder: Path, tag: str, *options: str) -> float:
    started = time.perf_counter()
    docker("build", *options, "--tag", tag, str(folder), timeout=900)
    return time.perf_counter() - started


def seconds_to_first_answer(image: str) -> float:
    environment = tuple(f"--env={name}={value}" for name, value in DEPLOYED.items())
    started = time.perf_counter()
    with container(image, options=environment, port=PORT) as web:
        port = int(web.url.rpartition(":")[2])
        while time.perf_counter() - started < 60:
            if answers(port):
                return time.perf_counter() - started
            time.sleep(0.01)
        raise TimeoutError(image)


def answers(port: int) -> bool:
    try:
        return get(port, "/hello")[0] == 200
    except (OSError, http.client.HTTPException):
        return False
