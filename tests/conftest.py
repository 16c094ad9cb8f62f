"""Fixtures that bake the template, and the environment that all commands run in."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from combinations import CORES, TEMPLATE, title
from cookiecutter.main import cookiecutter
from pytest_cookies.plugin import Cookies
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

Bake = Callable[..., Path]


class ByBake(LoadScopeScheduling):
    """Gives tests that share a bake to the same worker, which bakes and installs it once."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/test_bake.py"):
            return "all combinations"
        return next((core for core in map(title, CORES) if f"[{core}" in nodeid), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByBake:
    return ByBake(config, log)


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the settings of whoever runs the tests out of them, and their home untouched."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "FLASK_", "COOKIECUTTER_")) or name in {
            "DATABASE_URL",
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
def bake(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Bake the template with some answers, the defaults otherwise, and return the project."""

    def run(**answers: str) -> Path:
        if answers.get("application") == "existing":
            return bake_for_existing(tmp_path_factory.mktemp("existing"), answers)
        result = cookies_session.bake(extra_context=answers, template=str(TEMPLATE))
        assert result.exception is None, f"{answers}: {result.exception}"
        return result.project_path

    return run


def bake_for_existing(folder: Path, answers: dict[str, str]) -> Path:
    """Return a folder with what is added to an application."""
    (folder / "app.py").touch()
    answers = {"wsgi_app": "app:app"} | answers
    cookiecutter(str(TEMPLATE), no_input=True, extra_context=answers, output_dir=folder)
    (folder / "app.py").unlink()
    return folder
