"""Fixtures that bake the template, and the environment that all commands run in."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.harness import baked
from tests.harness import browser as browsers
from tests.harness.azurite import PROGRAM, serve_azurite
from tests.harness.baked import Baked
from tests.harness.choices import CORES, Answers, label
from tests.harness.databases import source_of
from tests.harness.machine import missing, provide
from tests.harness.processes import install_program
from tests.harness.sites import let_root_serve
from tests.harness.updates import git

Bake = Callable[..., Baked]

DIVIO_CLI = "4.0.5"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-combinations",
        action="store_true",
        help="run tests that have a sample of combinations with all of them",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "sample(combinations): the answers to run with, unless --all-combinations"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("all_combinations"):
        return
    left_out = [item for item in items if not is_in_sample(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if is_in_sample(item)]


def is_in_sample(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("sample")
    if not marker or "answers" not in item.fixturenames:
        return True
    return item.callspec.params["answers"] in marker.args[0]


class ByCore(LoadScopeScheduling):
    """Gives tests that share a bake to the same worker, which bakes and installs it once."""

    def _split_scope(self, nodeid: str) -> str:
        # Not in the middle, as in test_bake.py, which has bakes of its own.
        names = map(label, CORES)
        cores = (core for core in names if f"[{core}" in nodeid or f"{core}]" in nodeid)
        return next(cores, super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByCore:
    return ByCore(config, log)


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the settings of whoever runs the tests out of them, and their home untouched."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "FLASK_", "COOKIECUTTER_")) or name in {
            "DATABASE_URL",
            "PYTHONDONTWRITEBYTECODE",  # or each bake compiles the finder twice
            "PYTHONPATH",
            "SECRET_KEY",
            "STAGE",
            "VIRTUAL_ENV",
        }:
            del os.environ[name]
    config = home / "cookiecutter.yaml"
    config.write_text(f"replay_dir: {home}/replay\ncookiecutters_dir: {home}/cookiecutters\n")
    os.environ["COOKIECUTTER_CONFIG"] = str(config)
    os.environ["GIT_CONFIG_GLOBAL"] = str(home / "gitconfig")
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print on the terminal at once, though output is captured."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(text, file=sys.stderr, flush=True)

    return say


@pytest.fixture(scope="session", params=CORES, ids=label)
def answers(request: pytest.FixtureRequest) -> Answers:
    """Each core combination."""
    return request.param


@pytest.fixture(scope="session")
def bake(tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Bake with some answers, the defaults otherwise, into a folder of its own."""

    def bake(**answers: str) -> Baked:
        folder = tmp_path_factory.mktemp("bake")
        if answers.get("application") != "existing":
            return baked.bake(folder, **answers)
        application = {"app.py": "app = lambda *_: []\n", "requirements.txt": "flask\n"}
        for name, text in application.items():
            (folder / name).write_text(text)
        given = {"wsgi_app": "app:app", "found": "requirements.txt"}  # or all is rendered twice
        added = baked.bake(folder, **given | answers)
        for name in application:
            (folder / name).unlink()
        return added

    return bake


@pytest.fixture(scope="session")
def install(say: Callable[[str], None]) -> Callable[[Baked], None]:
    """Install what a project has locked."""

    def install(project: Baked) -> None:
        what = "way to install the project, which may need a compiler and MySQL's library"
        provide(lambda: project.install() or True, what, say)

    return install


@pytest.fixture(scope="session")
def start_server(say: Callable[[str], None]) -> Iterator[Callable[[str], str]]:
    """Start a database server of a kind, once; return the URL of its databases."""
    with ExitStack() as servers:

        @cache
        def start(kind: str) -> str:
            server = provide(lambda: source_of(kind), f"server of {kind}", say)
            return servers.enter_context(server())

        yield start


@pytest.fixture(scope="session")
def azurite() -> Iterator[int]:
    """The port of an Azurite at all addresses of this machine."""
    if not PROGRAM.exists():
        missing("Azurite, which npm installs")
    with serve_azurite() as port:
        yield port


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of an S3 API."""
    from moto.server import ThreadedMotoServer  # slow, and most tests need none

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def project(answers: Answers, bake: Bake, install: Callable[[Baked], None]) -> Baked:
    """A project with its locked dependencies, as `make install` leaves it."""
    project = bake(**answers)
    git(project.folder, "add", ".")
    install(project)
    return project


@pytest.fixture(scope="session")
def deployed(project: Baked, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    """A copy of the project as the image has it, in which a server may run here."""
    deployed = project.copy(tmp_path_factory.mktemp("deployed") / "app")
    let_root_serve(deployed)
    deployed.run("python", "-m", "whitenoise.compress", "--quiet", f"{deployed.package}/static")
    return deployed


@pytest.fixture(scope="session")
def server(answers: Answers, start_server: Callable[[str], str]) -> str:
    """The URL of a database server of the project's kind, up to the name of the database."""
    return start_server(answers["database"])


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy finds out about dependencies, which serves the next project too."""
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.fixture(scope="session")
def divio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the divio-cli, in an environment of its own."""
    return install_program(tmp_path_factory.mktemp("divio"), f"divio-cli=={DIVIO_CLI}") / "divio"


@pytest.fixture(scope="session")
def browser(say: Callable[[str], None]) -> Iterator[Browser]:
    """Chromium, whose windows share nothing: see harness/browser.py."""
    with browsers.browser(say) as browser:
        yield browser
