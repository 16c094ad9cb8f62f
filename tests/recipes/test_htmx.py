"""htmx: in a real browser, under the policy of a deployed site."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.harness.baked import Baked
from tests.harness.browser import browse, chromium
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.databases import new_database
from tests.harness.machine import provide
from tests.harness.processes import run
from tests.harness.recipes import Recipe, gate
from tests.harness.sites import Site, let_root_serve, serve
from tests.recipes.conftest import Follow

LIKE = """
page.goto(url + "/likes/")
page.get_by_role("button", name="Like").focus()
page.evaluate("window.isTheSamePage = true")
for number in ("1 like", "2 likes", "3 likes"):
    page.keyboard.press("Enter")
    page.get_by_text(number, exact=True).wait_for()
assert page.evaluate("window.isTheSamePage")
assert page.evaluate("document.activeElement.innerText") == "Like"
assert messages == [], messages
page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=color:red>')")
assert "Content Security Policy" in messages.pop(), messages
"""

LIKE_WITHOUT_JAVASCRIPT = """
page = browser.new_page(java_script_enabled=False)
page.goto(url + "/likes/")
before = int(page.locator("#likes").inner_text().split()[0])
page.get_by_role("button", name="Like").click()
page.get_by_text(f"{before + 1} like").wait_for()
"""

PROBLEMS = """
page.goto(url + "/likes/")
button, problem = page.get_by_role("button", name="Like"), page.locator("#problem")
answers = [
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
assert not [text for text in messages if "Policy" in text], messages
"""

REDIRECT = """
page.goto(url + "/likes/")
page.locator("form").evaluate(
    "(form, url) => { form.setAttribute('hx-post', url); htmx.process(form, true) }", "/moved/")
page.get_by_role("button", name="Like").click()
page.wait_for_url(url + "/hello")
"""

MOVED = """
from flask import Blueprint, redirect
blueprint = Blueprint("moved", __name__)
@blueprint.post("/moved/")
def moved():
    return redirect("/hello")
"""


@pytest.fixture(scope="module")
def htmx(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that the commands of the page bring."""
    folder = tmp_path_factory.mktemp("htmx")
    static = folder / "my_flask_app" / "static"
    static.mkdir(parents=True)
    [commands] = re.findall(r"```sh\n(.*?)```", Recipe("htmx").text, re.DOTALL)
    assert "htmx.min.js: OK" in run("bash", "-ec", commands, folder=folder)
    return (static / "htmx.min.js").read_bytes()


@pytest.fixture(scope="module", params=TWO_CORES, ids=label)
def followed(request: pytest.FixtureRequest, follow: Follow, htmx: bytes) -> Baked:
    core: Answers = request.param
    project = follow("htmx", **core)
    (project.folder / project.package / "static" / "htmx.min.js").write_bytes(htmx)
    run("git", "add", ".", folder=project.folder)
    return project


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


@pytest.mark.parametrize(
    "script",
    [LIKE, LIKE_WITHOUT_JAVASCRIPT, PROBLEMS, REDIRECT],
    ids=["like", "without-javascript", "problems", "redirect"],
)
def test_browser(site: Site, script: str, say: Callable[[str], None]) -> None:
    browse(provide(chromium, "Chromium", say), script, site.url)
