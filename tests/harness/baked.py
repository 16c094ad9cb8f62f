"""Baked projects."""

import os
import re
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cookiecutter.main import cookiecutter

from tests.harness.choices import TEMPLATE, Answers, label
from tests.harness.processes import run

PROBE = Path(__file__).parent / "probe"


@dataclass(frozen=True)
class Baked:
    """A baked project, or an application to which was added what deploys it."""

    answers: Answers
    folder: Path

    def __str__(self) -> str:
        return label(self.answers) or "defaults"

    @property
    def package(self) -> str:
        """The name of the Python package, unless a test answers another one."""
        return self.answers.get("package_name", "my_flask_app")

    @property
    def bin(self) -> Path:
        """The commands of its virtual environment."""
        return self.folder / ".venv" / "bin"

    def text(self, path: str) -> str:
        return (self.folder / path).read_text()

    def files(self) -> dict[str, str]:
        """Return the text of each file by its path in the project.

        Without git's and .cruft.json, which there is where all of the template is committed.
        """
        left_out = {".git", ".venv", ".cruft.json"}
        return {
            str(path.relative_to(self.folder)): path.read_bytes().decode()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.relative_to(self.folder).parts[0] not in left_out
        }

    def environment(self, **settings: str) -> dict[str, str]:
        """Return all variables of a process, none of whoever runs the tests."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return kept | {"PATH": path, "FLASK_APP": self.package} | settings

    def run(self, *command: str | Path, fails: bool = False, **settings: str) -> str:
        """Run a command of its virtual environment with these settings alone.

        Returns all that it says.
        """
        env = self.environment(**settings)
        return run(*command, folder=self.folder, env=env, fails=fails, errors=True)

    def install(self, lock: str = "requirements-dev.txt") -> None:
        """Do what `make install` does, with uv, which is faster than pip."""
        run("uv", "venv", "--quiet", "--python", sys.executable, ".venv", folder=self.folder)
        install = ["uv", "pip", "install", "--quiet", "--require-hashes", "--requirements", lock]
        run(*install, folder=self.folder)
        (self.bin.parent / "installed").touch()

    def copy(self, folder: Path) -> "Baked":
        """Return a copy without the git repository, which shares the virtual environment."""
        ours = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
        shutil.copytree(self.folder, folder, ignore=ours, symlinks=True)
        if self.bin.exists():
            (folder / ".venv").symlink_to(self.bin.parent)
        return replace(self, folder=folder)

    def grow(self, module: Path | str, *templates: Path | str, name: str = "") -> None:
        """Add a module of views, which has a `blueprint`, and the templates that it renders.

        Each is a file that is copied under its name, or, with `name`, the text of it.
        """
        package = self.folder / self.package
        name = name or Path(module).stem
        copies = [(module, package / f"{name}.py")]
        for template in templates:
            file = template.name if isinstance(template, Path) else f"{name}.html"
            copies.append((template, package / "templates" / file))
        for source, target in copies:
            target.write_text(source.read_text() if isinstance(source, Path) else source)

    def add_probe(self) -> None:
        """Add the views and the table of the tests."""
        self.grow(PROBE / "probe.py")
        migration = self.folder / "migrations" / "versions" / "0123_probe.py"
        migration.write_text((PROBE / "migration.py").read_text())

    def add_example_of_readme(self) -> None:
        """Follow the section "Develop"."""
        readme = self.text("README.md")
        module, test = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        [page] = re.findall(r"```html\n(.*?)```", readme, re.DOTALL)
        self.grow(module, page, name="notes")
        (self.folder / "tests" / "test_notes.py").write_text(test)


def bake(folder: Path, **answers: str) -> Baked:
    """Bake with these answers, and the defaults otherwise.

    folder: what the project's folder is made in; the application's own for an existing one
    """
    with TemporaryDirectory() as replays:
        project = cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            output_dir=folder,
            default_config={"replay_dir": replays},
        )
    existing = answers.get("application") == "existing"
    return Baked(answers, folder if existing else Path(project))
