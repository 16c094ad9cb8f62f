"""Existing applications, and how their owners add what the template deploys."""

import re
import shutil
import stat
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.harness.choices import CORE, TEMPLATE, Answers
from tests.harness.processes import environment, run
from tests.harness.updates import git, make_repository

APPLICATIONS = Path(__file__).parents[1] / "applications"


@dataclass(frozen=True)
class Application:
    """An application, and where in its repository it lives.

    path: what to ask it for, and `says` what then stands in the answer
    """

    name: str
    wsgi_app: str
    says: str
    path: str = "/"
    folder: str = "."

    def __str__(self) -> str:
        return self.name if self.folder == "." else f"{self.name} in {self.folder}"


TUTORIAL = Application("flaskr", "flaskr:create_app()", "Hello, World!", "/hello")
ONE_FILE = Application("one_file", "app:app", "One file.")
ONLY_PYPROJECT = Application("only_pyproject", "shop:create_app()", "A package.")
IN_SRC = Application("in_src", "blog:app", "In src.")
OWN_DOCKER = Application("own_docker", "app:application", "Own container.")
MONOREPO = Application("one_file", "app:app", "One file.", folder="services/web")


@dataclass(frozen=True)
class Shape:
    """An application with a trait of real ones, of which the bake has to find out all by itself.

    path: its page, which lists texts, and adds the one that is posted as `text`
    release: the command that makes its tables
    lock: the command that makes its lock, which names an index and so is not kept here
    settings: variables that it wants besides those of Divio
    says: what the page makes of the text "first"
    websocket: where it opens WebSockets
    services: what of its stack is started, and brings the database along
    environment: what this machine needs in place of the local stack's settings
    """

    name: str
    answers: Answers = field(hash=False)
    path: str = "/"
    release: str = "flask create-tables"
    lock: str = ""
    settings: dict[str, str] = field(default_factory=dict, hash=False)
    says: str = "first"
    websocket: str = ""
    services: tuple[str, ...] = ("web",)
    environment: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.name


def answers(*core: str) -> Answers:
    return dict(zip(CORE, core, strict=True))


DATABASE = "postgresql+psycopg2://postgres@database_default:5432/db"
SHAPES = [
    Shape("old_driver", answers("postgres", "gunicorn", "s3")),
    Shape("uv_in_src", answers("postgres", "uwsgi", "local"), path="/api/items", lock="uv lock"),
    Shape("poetry", answers("postgres", "uwsgi", "s3"), release="python manage.py"),
    Shape("pipenv", answers("mysql", "gunicorn", "s3"), lock="uvx pipenv lock"),
    Shape("old_flask", answers("mysql", "uwsgi", "local"), path="/orders"),
    Shape(
        "socketio",
        answers("postgres", "gunicorn", "local"),
        websocket="/socket.io/?EIO=4&transport=websocket",
        environment={"REQUEST_TIMEOUT": "2"},
    ),
    Shape(
        "celery",
        answers("postgres", "gunicorn", "s3"),
        says="first, shipped",
        services=("web", "worker"),
        # No image of a broker is built here, and the database can be one.
        environment={"CELERY_BROKER_URL": f"sqla+{DATABASE}"},
    ),
    Shape(
        "migrates_itself",
        answers("postgres", "uwsgi", "s3"),
        release="",
        lock="uv pip compile --universal --output-file=pylock.toml requirements.in",
    ),
    Shape(
        "settings_at_import",
        answers("postgres", "gunicorn", "local"),
        path="/readers",
        settings={"NEWSLETTER_SENDER": "news@example.org"},
    ),
    Shape("uploads", answers("postgres", "gunicorn", "local"), says="first, 5 bytes"),
    Shape(
        "from_git",
        answers("mysql", "uwsgi", "s3"),
        release="python schema.py",
        says="Hello, first!",
    ),
    Shape("own_docker", answers("mysql", "gunicorn", "local"), path="/crates"),
    Shape("sqlite_file", answers("postgres", "uwsgi", "local"), release="python make_tables.py"),
    Shape(
        "procfile",
        answers("postgres", "gunicorn", "s3"),
        path="/news",
        release="python -m intranet.backend.tables",
    ),
]


def make(application: Application, repository: Path) -> Path:
    """Make the repository of an application, committed; return the application's folder."""
    folder = repository / application.folder
    if application == TUTORIAL:
        copy_tutorial(folder)
    else:
        shutil.copytree(APPLICATIONS / application.name, folder)
    make_repository(repository)
    return folder


def make_shape(shape: Shape, folder: Path) -> None:
    """Make the repository of a shape, locked and committed."""
    shutil.copytree(APPLICATIONS / shape.name, folder)
    for library in folder.glob("vendor/*"):
        make_repository(library)
        git(library, "clone", "--quiet", "--bare", ".", f"{library}.git")
        shutil.rmtree(library)
    if shape.lock:
        env = environment() | {"WORKON_HOME": str(folder.parent / "virtualenvs")}
        run(*shape.lock.split(), folder=folder, env=env)
    make_repository(folder)


def copy_tutorial(folder: Path) -> None:
    """Take the application of Flask's tutorial out of the release of Flask that is in use."""
    release = version("flask")
    downloads = folder.parent / "downloads"
    download = ["pip", "download", "--quiet", "--no-deps", "--no-binary=flask"]
    run(sys.executable, "-m", *download, f"--dest={downloads}", f"flask=={release}")
    run("tar", "-xzf", f"flask-{release}.tar.gz", folder=downloads)
    shutil.move(downloads / f"flask-{release}" / "examples" / "tutorial", folder)


def adopt(
    folder: Path,
    application: Application,
    /,
    *options: str,
    template: Path | str = TEMPLATE,
    fails: bool = False,
    **answers: str,
) -> str:
    """Bake for an existing application, from the folder that it lives in; return what is said."""
    answers = {"wsgi_app": application.wsgi_app} | answers
    return bake(folder, *options, template=template, fails=fails, **answers)


def bake(
    folder: Path,
    /,
    *options: str,
    template: Path | str = TEMPLATE,
    fails: bool = False,
    **answers: str,
) -> str:
    """Do the same for an application of which all is looked for."""
    answers = {"application": "existing", "project_name": "The App"} | answers
    given = [f"{name}={value}" for name, value in answers.items()]
    command = ["cookiecutter", template, "--no-input", *options, *given]
    return run(*command, folder=folder, fails=fails, errors=True)


def follow(said: str, folder: Path, settings: dict[str, str]) -> None:
    """Do what a bake says: move files, replace lines, and set variables, which have to be named."""
    if "To take them over:" in said:
        take_over(folder, said)
    replacements = r"^- (\S+):(\d+) .* Replace it by: (.+)$"
    for path, number, code in re.findall(replacements, said, re.MULTILINE):
        lines = (folder / path).read_text().splitlines()
        old = lines[int(number) - 1]
        lines[int(number) - 1] = old[: -len(old.lstrip())] + code
        (folder / path).write_text("\n".join(lines) + "\n")
    named = re.findall(r"\bSet (\S+) on Divio, and in \.env-local", said)
    with (folder / ".env-local").open("a") as environment:
        environment.writelines(f"{name}={settings[name]}\n" for name in named)


def take_over(folder: Path, said: str) -> None:
    """Run the lines that a bake has said, which put what waits in the place of the owner's."""
    [lines] = re.findall(r"To take them over:\n\n(.*?)\n\n", said, re.DOTALL)
    run("sh", "-ec", lines, folder=folder)


def snapshot(repository: Path) -> dict[str, tuple[int, float, bytes | str]]:
    """Return mode, time and content of everything but git's own: a link's content is its target."""
    everything = {}
    for path in sorted(repository.rglob("*")):
        if ".git" in path.relative_to(repository).parts[:2]:
            continue
        details = path.lstat()
        content: bytes | str = b""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        time = 0.0 if stat.S_ISDIR(details.st_mode) else details.st_mtime
        everything[str(path.relative_to(repository))] = (details.st_mode, time, content)
    return everything
