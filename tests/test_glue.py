"""What applications that exist already get to run: the package on_divio, and sitecustomize.py."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Bake
from tests.harness.baked import Baked
from tests.harness.choices import CORES, PAIRED_CORES, Answers, label
from tests.harness.processes import finish, free_port, run
from tests.harness.sites import gateway_server, let_root_serve, serve

TESTS = Path(__file__).parent / "harness" / "glue"
PACKAGE = "on_divio"

# The oldest versions that it promises to run with.
OLDEST = ["flask==2.0.0", "werkzeug==2.0.0", "jinja2<3.1", "flask-sqlalchemy<3", "sqlalchemy<2"]

APPLICATION = """
import os

import on_divio
from flask import Flask

app = Flask(__name__)
on_divio.init_app(app)


@app.cli.command()
def show():
    print(os.environ["DATABASE_URL"])


@app.get("/")
def index():
    return os.environ["DATABASE_URL"]
"""

pytestmark = pytest.mark.sample(PAIRED_CORES)


@pytest.mark.parametrize("answers", CORES, ids=label)
def test_code_is_that_of_a_new_project(answers: Answers, bake: Bake) -> None:
    new = bake(**answers, package_name=PACKAGE).files()
    existing = bake(**answers, application="existing").files()
    ours = [name for name in existing if name.startswith(f"{PACKAGE}/")]

    assert f"{PACKAGE}/media/names.py" in ours
    assert [name for name in ours if name.startswith(f"{PACKAGE}/media/")] == [
        name for name in new if name.startswith(f"{PACKAGE}/media/")
    ]
    for name in set(ours) - {f"{PACKAGE}/__init__.py"}:
        assert existing[name] == new[name].replace("README.md", "DEPLOY.md"), name


def beside_application(folder: Path, bake: Bake, project: Baked, found: str) -> Baked:
    """Bake for an application that has the virtual environment of a project."""
    baked = bake(**project.answers, application="existing", found=found).copy(folder)
    (folder / ".venv").symlink_to(project.bin.parent)
    (folder / "app.py").write_text(APPLICATION)
    let_root_serve(baked)
    return baked


def in_image(baked: Baked) -> dict[str, str]:
    """Return what the image sets besides PATH."""
    return {"PYTHONPATH": str(baked.folder), "FLASK_APP": "app:app"}


def test_its_tests_pass(project: Baked, bake: Bake, tmp_path: Path, mypy_cache: str) -> None:
    # Either way with each database and each storage.
    server = project.answers["gateway_server"]
    found = {"gunicorn": "psycopg sqlalchemy", "uwsgi": "none"}[server]
    baked = beside_application(tmp_path / "app", bake, project, found)
    tests = ["tests_of_glue.py", "tests_of_glue_database.py"][: 1 if found == "none" else 2]
    for name in tests:
        shutil.copy(TESTS / name, baked.folder)
    settings = project.text("pyproject.toml")
    files = [PACKAGE, "sitecustomize.py"]
    (baked.folder / "pyproject.toml").write_text(settings)

    baked.run("pytest", *tests)
    baked.run("mypy", *files, MYPY_CACHE_DIR=mypy_cache)
    baked.run("ruff", "check", "--no-cache", *files)
    baked.run("ruff", "format", "--no-cache", "--check", *files)


def test_its_tests_pass_with_the_oldest_versions(bake: Bake, tmp_path: Path) -> None:
    baked = bake(application="existing", found="sqlalchemy").copy(tmp_path / "app")
    run("uv", "venv", "--quiet", "--python", sys.executable, ".venv", folder=baked.folder)
    packages = [*OLDEST, "boto3", "psycopg2-binary", "pytest"]
    run("uv", "pip", "install", "--quiet", *packages, folder=baked.folder)
    for path in TESTS.glob("*.py"):
        shutil.copy(path, baked.folder)

    baked.run("pytest", *(path.name for path in TESTS.glob("*.py")))


def test_server_and_commands_see_the_url(project: Baked, bake: Bake, tmp_path: Path) -> None:
    baked = beside_application(tmp_path / "app", bake, project, "sqlalchemy")
    database = project.answers["database"]
    settings = in_image(baked) | {"DATABASE_URL": f"{database}://user:pass%2Fword@host/name"}

    scheme = {"postgres": "postgresql+psycopg2", "mysql": "mysql+mysqldb"}[database]
    url = f"{scheme}://user:pass%2Fword@host/name"
    assert baked.run("flask", "show", **settings) == f"{url}\n"
    with serve(baked, settings) as site:
        assert site.get("/").text == url


def test_server_starts_without_it(project: Baked, bake: Bake, tmp_path: Path) -> None:
    baked = beside_application(tmp_path / "app", bake, project, "sqlalchemy")
    shutil.rmtree(baked.folder / PACKAGE)
    (baked.folder / "sitecustomize.py").unlink()
    plain = APPLICATION.replace("import on_divio\n", "").replace("on_divio.init_app(app)\n", "")
    (baked.folder / "app.py").write_text(plain)

    with serve(baked, in_image(baked) | {"DATABASE_URL": "postgres://given"}, page="/") as site:
        assert site.get("/").text == "postgres://given"


def test_unusable_settings_stop_the_server(project: Baked, bake: Bake, tmp_path: Path) -> None:
    baked = beside_application(tmp_path / "app", bake, project, "sqlalchemy")
    settings = in_image(baked) | {"STAGE": "live", "DATABASE_URL": "oracle+x://u:secret@h/n"}

    for command in (gateway_server(baked), ["flask", "routes"]):
        said = baked.run(*command, fails=True, **settings | {"PORT": str(free_port())})

        assert said.count("- SECRET_KEY: ") >= 1, said
        assert said.count("- DATABASE_URL: ") >= 1, said
        assert "secret" not in said
        assert "init_app" not in said, "the traceback of the application"


POSTGRES = {
    "none": "postgresql",
    "psycopg2": "postgresql",
    "requirements.txt sqlalchemy": "postgresql+psycopg2",
    "uv.lock psycopg2 sqlalchemy": "postgresql+psycopg2",
    "poetry.lock psycopg2-binary sqlalchemy": "postgresql+psycopg2",
    "psycopg-binary sqlalchemy": "postgresql+psycopg",
    "psycopg sqlalchemy": "postgresql+psycopg",
    "psycopg psycopg2-binary sqlalchemy": "postgresql+psycopg2",
    "asyncpg sqlalchemy": "postgresql+asyncpg",
    "pg8000 sqlalchemy": "postgresql+pg8000",
    "sqlalchemy": "postgresql+psycopg2",
    "pymysql sqlalchemy": "postgresql+psycopg2",
}
MYSQL = {
    "none": "mysql",
    "pymysql": "mysql",
    "sqlalchemy": "mysql+mysqldb",
    "mysqlclient pymysql sqlalchemy": "mysql+mysqldb",
    "pymysql sqlalchemy": "mysql+pymysql",
    "mysql-connector-python sqlalchemy": "mysql+mysqlconnector",
    "psycopg2 sqlalchemy": "mysql+mysqldb",
}
SHOW = """
import os, sys
sys.stdout.reconfigure(errors="backslashreplace")
for name in ("DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "DB_URL"):
    print(os.environ.get(name))
"""


def urls(folder: Path, **environ: str) -> list[str]:
    """Return what a Python that starts in the image sees: "None" is what is not set."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)} | environ
    done = finish(sys.executable, "-c", SHOW, env=env)
    assert (done.returncode, done.stderr) == (0, ""), "it says something"
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("database", "found", "scheme"),
    [
        *(("postgres", found, scheme) for found, scheme in POSTGRES.items()),
        *(("mysql", found, scheme) for found, scheme in MYSQL.items()),
    ],
)
def test_scheme_is_that_of_the_driver(database: str, found: str, scheme: str, bake: Bake) -> None:
    folder = bake(application="existing", database=database, found=found).folder

    seen = urls(folder, DATABASE_URL=f"{database}://u:p@h/n")

    assert seen == [f"{scheme}://u:p@h/n", "None", "None"]


@pytest.fixture(scope="module")
def customized(bake: Bake) -> Path:
    found = "requirements.txt psycopg2 sqlalchemy UPLOADS/ SQLALCHEMY_DATABASE_URI DB_URL"
    return bake(application="existing", found=found).folder


REST = "user:p%40ss#w?rd/$(x)@host:5432/na me?sslmode=require&options=-c%20a"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "pgsql", "postgis", "POSTGRES"])
def test_all_but_the_scheme_stays(scheme: str, customized: Path) -> None:
    url = f"postgresql+psycopg2://{REST}"

    assert urls(customized, DATABASE_URL=f" {scheme}://{REST}\n") == [url] * 3
    assert urls(customized, DEFAULT_DATABASE_DSN=f"{scheme}://{REST}") == [url] * 3
    seen = urls(
        customized, DATABASE_URL="\t", DEFAULT_DATABASE_DSN=f"{scheme}://{REST}", DB_URL="a"
    )
    assert seen == [url, url, "a"]


@pytest.mark.parametrize(
    "url", ["postgresql+pg8000://u@h/n", "sqlite:///app.db", "mysql://u@h/n", "ODD+x://", "://"]
)
def test_other_scheme_stays(url: str, customized: Path) -> None:
    assert urls(customized, DATABASE_URL=url, DEFAULT_DATABASE_DSN="postgres://h/n") == [url] * 3


@pytest.mark.parametrize("url", [" ", "no url", "postgres:/u@h", "\udcff"], ids=ascii)
def test_what_is_no_url_stays(url: str, customized: Path) -> None:
    assert urls(customized) == ["None"] * 3
    assert urls(customized, DATABASE_URL=url)[1:] == ["None"] * 2
