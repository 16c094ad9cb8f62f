"""Images of baked projects: how large they are, and what runs in an environment."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.harness.baked import Baked
from tests.harness.engine import PREFIX, Container, container, docker, inspect
from tests.harness.processes import run

SUM = "find {} -xdev -type f -printf '%s\\n' | awk '{{ sum += $1 }} END {{ print sum }}'"


@dataclass(frozen=True)
class Image:
    """A baked project and the name of its image. Sizes are in bytes."""

    baked: Baked
    name: str

    @property
    def base(self) -> str:
        """The name of the image that it is built on."""
        return re.search(r"^FROM (\S+)$", self.baked.text("Dockerfile"), re.MULTILINE)[1]

    def health_check(self) -> list[str]:
        """Return the command that tells whether a container answers."""
        kind, *command = inspect(self.name, "image")["Config"]["Healthcheck"]["Test"]
        assert kind == "CMD"
        return command

    def size_over_base(self) -> int:
        return inspect(self.name, "image")["Size"] - inspect(self.base, "image")["Size"]

    def size_needed(self) -> int:
        """Return the size of the application and its locked requirements as pip installs them."""
        install = re.match(
            r".*? install .*?requirements\.txt\n", self.baked.text("Dockerfile"), re.DOTALL
        )[0]
        step = f"{self.name}-installed"
        folder = str(self.baked.folder)
        run("docker", "build", f"--tag={step}", "--file=-", folder, stdin=install, timeout=900)
        return size_in(step, "/opt/venv") + size_in(self.name, "/app")


@dataclass(frozen=True)
class Environment:
    """An environment on Divio: an image and its settings."""

    image: Image
    network: str
    settings: dict[str, str]

    def options(self, **more: str) -> tuple[str, ...]:
        settings = self.settings | more
        return (f"--network={self.network}", *(f"--env={k}={v}" for k, v in settings.items()))

    def command(self, *command: str) -> str:
        return docker("run", "--rm", *self.options(), self.image.name, *command)

    def server(self, **more: str) -> AbstractContextManager[Container]:
        return container(self.image.name, options=self.options(**more))


def size_in(image: str, folder: str) -> int:
    return int(docker("run", "--rm", image, "sh", "-c", SUM.format(folder)))


def build(baked: Baked, name: str = "") -> Image:
    """Build the image of a project, named after its answers unless there is a name."""
    image = Image(baked, f"{PREFIX}-{name or baked}")
    docker("build", f"--tag={image.name}", str(baked.folder), timeout=900)
    return image
