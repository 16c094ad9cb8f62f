"""How large an image is, and how large what it needs. All in bytes."""

import re
from pathlib import Path

from engine import docker

SUM = "find {} -xdev -type f -printf '%s\\n' | awk '{{ sum += $1 }} END {{ print sum }}'"


def size_over_base(image: str, base: str) -> int:
    sizes = [docker("image", "inspect", "--format", "{{.Size}}", name) for name in (image, base)]
    return int(sizes[0]) - int(sizes[1])


def size_in(image: str, folder: str) -> int:
    return int(docker("run", "--rm", image, "sh", "-c", SUM.format(folder)))


def size_needed(project: Path, image: str) -> int:
    """Return the size of the locked dependencies as pip installs them, and of the application."""
    dockerfile = (project / "Dockerfile").read_text()
    installed = re.match(r".*? install .*?requirements\.txt\n", dockerfile, re.DOTALL)[0]
    step = f"{image}-installed"
    options = ["--tag", step, "--file=-", str(project)]
    docker("build", *options, input=installed, timeout=900)
    return size_in(step, "/opt/venv") + size_in(image, "/app")
