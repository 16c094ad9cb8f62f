"""Languages: pages behind each gateway server."""

import re
from collections.abc import Iterator

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.edge import DOMAIN
from tests.harness.recipes import gate
from tests.harness.sites import Site, let_root_serve, serve
from tests.recipes.conftest import Follow

ENGLISH, GERMAN = "The application is deployed", "Die Anwendung l\xe4uft"
UNTRANSLATED = "Up and running"

pytestmark = pytest.mark.parametrize("core", TWO_CORES, ids=label, scope="module")


@pytest.fixture(scope="module")
def followed(core: Answers, follow: Follow) -> Baked:
    return follow("languages", **core)


@pytest.fixture(scope="module")
def site(followed: Baked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    project = followed.copy(tmp_path_factory.mktemp("deployed") / "app")
    let_root_serve(project)
    settings = {"STAGE": "live", "SECRET_KEY": "a-random-key", "DOMAIN": DOMAIN}
    with serve(project, settings) as site:
        yield site


def test_gate(followed: Baked, mypy_cache: str) -> None:
    gate(followed, "languages", mypy_cache=mypy_cache)


@pytest.mark.parametrize(
    ("path", "status", "language", "text", "link"),
    [
        ("/", 200, "en", ENGLISH, 'href="/hello"'),
        ("/de/", 200, "de", GERMAN, 'href="/de/hello"'),
        ("/de/", 200, "de", UNTRANSLATED, f'href="https://{DOMAIN}/" hreflang="en"'),
        ("/", 200, "en", UNTRANSLATED, f'href="https://{DOMAIN}/de/" hreflang="de"'),
        ("/fr/", 404, "en", "Not Found", 'href="/"'),
        ("/de/missing", 404, "de", "Not Found", 'href="/de/"'),
    ],
)
def test_page(site: Site, path: str, status: int, language: str, text: str, link: str) -> None:
    answer = site.get(path, **{"Accept-Language": "fr, de, en"})
    assert answer.status_code == status
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.text
    assert text in answer.text
    assert link in answer.text


def test_texts_are_collected(followed: Baked, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is new has no translation, and what is there keeps its own."""
    project = followed.copy(tmp_path_factory.mktemp("texts") / "app")
    page = project.folder / project.package / "templates" / "welcome.html"
    page.write_text(page.read_text().replace("Up and running", '{{ _("Up and running") }}'))

    project.run("make", "--old-file=install", "texts")

    texts = project.text(f"{project.package}/translations/de/LC_MESSAGES/messages.po")
    assert re.search(r'msgid "Up and running"\nmsgstr ""\n', texts)
    assert re.search(r'msgid "Say hello"\nmsgstr "Sag hallo"\n', texts)
    assert not texts.endswith("\n\n")
