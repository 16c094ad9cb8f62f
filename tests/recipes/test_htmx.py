"""htmx: in a real browser, under the policy of a deployed site."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Route

from tests.harness.baked import Baked
from tests.harness.browser import complaints, window
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.recipes import gate
from tests.harness.sites import Site, let_root_serve, serve
from tests.recipes.conftest import Follow

MOVED = """
from flask import Blueprint, redirect
blueprint = Blueprint("moved", __name__)
@blueprint.post("/moved/")
def moved():
    return redirect("/hello")
"""


@pytest.fixture(scope="module", params=TWO_CORES, ids=label)
def followed(request: pytest.FixtureRequest, follow: Follow) -> Baked:
    core: Answers = request.param
    return follow("htmx", **core)


@pytest.fixture(scope="module")
def site(
    followed: Baked,
    start_server: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    project = followed.copy(tmp_path_factory.mktemp("deployed") / "app")
    project.grow(MOVED, name="moved")
    let_root_serve(project)
    settings = {
        "STAGE": "live",
        "SECRET_KEY": "a-random-key",
        "SECURE_SSL_REDIRECT": "False",
        "DATABASE_URL": new_database(start_server(project.answers["database"]), "htmx"),
    }
    project.run("flask", "db", "upgrade", **settings)
    with serve(project, settings) as site:
        yield site


def test_gate(followed: Baked, mypy_cache: str) -> None:
    gate(followed, "htmx", mypy_cache=mypy_cache)


@pytest.fixture
def context(site: Site, browser: Browser) -> Iterator[BrowserContext]:
    with window(browser, site.url) as context:
        yield context


def test_part_of_the_page_is_changed(context: BrowserContext) -> None:
    page = context.new_page()
    said = complaints(page)
    page.goto("/likes/")
    page.get_by_role("button", name="Like").focus()
    page.evaluate("window.isTheSamePage = true")
    for number in ("1 like", "2 likes", "3 likes"):
        page.keyboard.press("Enter")
        page.get_by_text(number, exact=True).wait_for()
    assert page.evaluate("window.isTheSamePage")
    assert page.evaluate("document.activeElement.innerText") == "Like"
    assert said == []

    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=color:red>')")
    assert "Content Security Policy" in said.pop()


def test_it_works_without_javascript(site: Site, browser: Browser) -> None:
    with window(browser, site.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/likes/")
        before = int(page.locator("#likes").inner_text().split()[0])
        page.get_by_role("button", name="Like").click()
        page.get_by_text(f"{before + 1} like").wait_for()


def test_problems_are_told(context: BrowserContext) -> None:
    page = context.new_page()
    said = complaints(page)
    page.goto("/likes/")
    button, problem = page.get_by_role("button", name="Like"), page.locator("#problem")
    answers: list[tuple[Callable[[Route], None], str]] = [
        (lambda route: route.fulfill(status=503, body="<h1>Error</h1>"), "Try again in a minute"),
        (lambda route: route.abort(), "cannot be reached"),
    ]
    for answer, text in answers:
        page.route("**/likes/", answer)
        button.click()
        problem.filter(has_text=text).wait_for()
        page.unroute("**/likes/")
    page.locator("[name=csrf_token]").evaluate("field => field.value = ''")
    button.click()
    problem.filter(has_text="(400). Load the page again").wait_for()
    assert page.get_by_role("heading").count() == 1
    assert not [text for text in said if "Policy" in text]


def test_redirect_leads_elsewhere(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/likes/")
    page.locator("form").evaluate(
        "form => { form.setAttribute('hx-post', '/moved/'); htmx.process(form, true) }"
    )
    page.get_by_role("button", name="Like").click()
    page.wait_for_url("/hello")
