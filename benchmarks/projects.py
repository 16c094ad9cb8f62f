"""What is compared: baked projects and bare Flask, in one environment, with the same settings."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import TEMPLATE

APPLICATIONS = Path(__file__).parent / "applications"
PACKAGE = "my_flask_app"
DOMAIN = "app.example.org"
SERVERS = ["gunicorn", "uwsgi"]

# Of bytes, the static files that both sides serve.
STATIC_FILES = {"10k.txt": 10_000, "1m.txt": 1_000_000}

# What Divio sets for a deployment; nothing here asks the bucket or the database for anything.
DEPLOYED = {
    "STAGE": "live",
    "SECRET_KEY": "of-the-benchmarks",
    "DATABASE_URL": "postgres://postgres@127.0.0.1:5432/db",
    "DEFAULT_STORAGE_DSN": "s3://key:secret@bucket.s3.eu-central-1.amazonaws.com/",
    "DOMAIN": DOMAIN,
}


@dataclass(frozen=True)
class Application:
    """An application with the settings of a gateway server, and an environment to run it in."""

    server: str
    folder: Path
    bin: Path

    @property
    def command(self) -> list[str]:
        return {"gunicorn": ["gunicorn"], "uwsgi": ["uwsgi", "uwsgi.ini"]}[self.server]

    @property
    def steady_command(self) -> list[str]:
        """The command that keeps the workers, whatever the number of requests.

        A second of load has as many as hours of a site have, and would replace them all the time.
        """
        return {
            "gunicorn": ["gunicorn", "--max-requests", "0"],
            "uwsgi": ["uwsgi", "steady.ini"],  # What the file says wins over an option.
        }[self.server]

    def environment(self, **settings: str) -> dict[str, str]:
        """Return all variables for a process, none of whoever runs the benchmarks."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self.bin}:{os.environ['PATH']}"
        return kept | {"PATH": path, "FLASK_APP": PACKAGE} | DEPLOYED | settings

    def python(self, *arguments: str, **settings: str) -> str:
        """Run Python in the application's folder, and return what it prints."""
        return subprocess.run(
            [self.bin / "python", *arguments],
            cwd=self.folder,
            env=self.environment(**settings),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


class Projects:
    """Makes each application on first use, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Application] = {}

    def ours(self, server: str, *, with_views: bool = False) -> Application:
        """Return the baked project as it is, or with the views of the benchmarks."""
        name = f"{server}-ours{'-views' if with_views else ''}"
        if name not in self.made:
            folder = bake(self.folder / name, gateway_server=server)
            if with_views:
                add_views(folder)
            add_static_files(folder / PACKAGE / "static")
            self._make(name, server, folder)
            self.made[name].python("-m", "whitenoise.compress", "--quiet", f"{PACKAGE}/static")
            self.made[name].python("-m", "compileall", "-q", PACKAGE)
        return self.made[name]

    def bare(self, server: str, module: str = "bare") -> Application:
        """Return bare Flask, run with the settings of the baked project."""
        name = f"{server}-{module}"
        if name not in self.made:
            folder = self.folder / name
            baked = self.ours(server).folder
            folder.mkdir()
            for file in ("requirements.txt", "gunicorn.conf.py", "uwsgi.ini"):
                if (baked / file).exists():
                    text = (baked / file).read_text()
                    text = text.replace(f"{PACKAGE}:create_app()", f"{module}:app")  # gunicorn
                    text = text.replace(f"{PACKAGE}.create_app()", f"{module}.app")  # uWSGI
                    text = text.replace(f"import gc, {PACKAGE};", f"import gc, {module};")
                    (folder / file).write_text(text)
            shutil.copy(APPLICATIONS / f"{module}.py", folder)
            (folder / "static").mkdir()
            add_static_files(folder / "static")
            self._make(name, server, folder)
        return self.made[name]

    def _make(self, name: str, server: str, folder: Path) -> None:
        if os.geteuid() == 0:
            # The account that root gives way to could not read these folders.
            for settings in (folder / "gunicorn.conf.py", folder / "uwsgi.ini"):
                if settings.exists():
                    settings.write_text(settings.read_text().replace("www-data", "root"))
        if server == "uwsgi":
            text = re.sub("^max-requests = .*", "", (folder / "uwsgi.ini").read_text(), flags=re.M)
            (folder / "steady.ini").write_text(text)
        self.made[name] = Application(server, folder, installed(server, folder))


def bake(folder: Path, **answers: str) -> Path:
    """Bake a project with the default answers but these, and return its folder."""
    folder.mkdir(parents=True)
    config = folder / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {folder}\n")
    given = [f"{name}={value}" for name, value in answers.items()]
    command = [tool("cookiecutter"), str(TEMPLATE), "--no-input", "--config-file", str(config)]
    subprocess.run([*command, "--output-dir", str(folder), *given], check=True, capture_output=True)
    return folder / "my-flask-app"


def tool(name: str) -> str:
    """Return the path of a command from the environment of the benchmarks."""
    return str(Path(sys.executable).with_name(name))


def installed(server: str, folder: Path) -> Path:
    """Return the commands of an environment with the locked requirements of a project.

    It is kept beside the one of the benchmarks, under a name that the lock decides.
    """
    lock = folder / "requirements.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    environment = Path(sys.prefix) / "benchmarks" / f"{server}-{digest}"
    if not (environment / "installed").exists():
        print(f"Installing the locked requirements for {server}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        subprocess.run(
            [
                *[environment / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"],
                *["--require-hashes", "-r", str(lock)],
            ],
            check=True,
        )
        (environment / "installed").touch()
    return environment / "bin"


def add_views(folder: Path) -> None:
    """Add the views of the benchmarks to a baked project."""
    shutil.copy(APPLICATIONS / "measured.py", folder / PACKAGE)
    factory = folder / PACKAGE / "__init__.py"
    register = "    app.register_blueprint(pages.blueprint)\n"
    text = factory.read_text()
    assert register in text
    text = text.replace("    media,\n", "    measured,\n    media,\n")
    factory.write_text(text.replace(register, register + register.replace("pages", "measured")))


def add_static_files(folder: Path) -> None:
    """Write files of text that compresses about as well as a style sheet."""
    for name, size in STATIC_FILES.items():
        words = (hashlib.sha256(b"%d" % number).hexdigest() for number in range(size // 64 + 1))
        (folder / name).write_text("\n".join(words)[:size])


def hashed(application: Application, name: str) -> str:
    """Return the URL of a static file, as the application itself writes it."""
    digest = hashlib.sha256((application.folder / PACKAGE / "static" / name).read_bytes())
    return f"/static/{re.sub(r'[.]', f'.{digest.hexdigest()[:12]}.', name, count=1)}"
