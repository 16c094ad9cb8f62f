"""The front-end build: by npm, served as Divio does, and run in a browser."""

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.harness.baked import Baked
from tests.harness.browser import SCREENS, complaints, obstacles, window
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.machine import provide
from tests.harness.processes import run
from tests.harness.recipes import gate
from tests.harness.sites import let_root_serve, serve
from tests.recipes.conftest import Follow

VIEW = """
from flask import Blueprint, render_template
blueprint = Blueprint("message", __name__)
@blueprint.get("/message")
def message():
    return render_template("message.html")
"""
PAGE = """
{% extends "base.html" %}
{% block main %}
<h1>Message</h1>
<textarea maxlength="100" aria-label="Message"></textarea>
{% endblock %}
"""

pytestmark = pytest.mark.parametrize("core", TWO_CORES, ids=label)


@pytest.fixture
def built(
    core: Answers,
    follow: Follow,
    say: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Baked:
    """A project with what the stage of its image builds."""
    project = follow("front-end", **core).copy(tmp_path_factory.mktemp("built") / "app")
    provide(lambda: shutil.which("npm"), "npm", say)
    run("npm", "install", "--package-lock-only", folder=project.folder)
    for command in ("npm ci --ignore-scripts", "npm run build"):
        assert f"RUN {command}\n" in project.text("Dockerfile")
        run(*command.split(), folder=project.folder)
    return project


def test_gate(built: Baked, mypy_cache: str) -> None:
    assert "SKIPPED" not in gate(built, "front-end", mypy_cache=mypy_cache)


def test_bundle_runs_in_a_browser(built: Baked, browser: Browser) -> None:
    built.grow(VIEW, PAGE, name="message")
    let_root_serve(built)
    built.run("python", "-m", "whitenoise.compress", "--quiet", f"{built.package}/static")

    with serve(built, {}) as site:
        for screen in SCREENS:
            with window(browser, site.url, screen) as context:
                page = context.new_page()
                said = complaints(page)
                page.goto("/message")
                page.get_by_label("Message").fill("Hello")
                left = page.get_by_text("95 characters left")
                assert left.evaluate("e => getComputedStyle(e).fontSize") == "14px"
                assert said + obstacles(page) == []


def test_error_of_types_ends_the_build(built: Baked) -> None:
    with (built.folder / "front_end" / "app.ts").open("a") as file:
        file.write("\ncountCharacters(1);\n")

    assert "is not assignable" in run("npm", "run", "build", folder=built.folder, fails=True)
