"""Features: what a module of the package adds by being there."""

from pathlib import Path

import pytest
from conftest import MakeApp

import {{ cookiecutter.package_name }}
from {{ cookiecutter.package_name }}.environment import ConfigError

FEATURE = """
from flask import Blueprint

blueprint = Blueprint("tests-seats", __name__)


def settings(env):
    return {"TESTS_SEATS": env.number("TESTS_SEATS", default=4, least=1, most=9)}


@blueprint.get("/tests/seats")
def index():
    return "seats"
"""


@pytest.fixture(autouse=True)
def _feature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests_seats.py").write_text(FEATURE)
    (tmp_path / "more_tests_seats.py").write_text("from .tests_seats import blueprint, settings")
    package = {{ cookiecutter.package_name }}
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])


def test_module_adds_its_blueprint_and_settings(make_app: MakeApp) -> None:
    app = make_app(TESTS_SEATS="5")
    assert app.test_client().get("/tests/seats").text == "seats"
    assert app.config["TESTS_SEATS"] == 5


def test_problems_of_its_settings_are_told_with_all_others(make_app: MakeApp) -> None:
    problems = r":\n- LOG_LEVEL: .*\n- TESTS_SEATS: .*$"
    with pytest.raises(ConfigError, match=problems):
        make_app(TESTS_SEATS="many", LOG_LEVEL="loud")
