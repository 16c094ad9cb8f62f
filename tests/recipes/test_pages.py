"""What all recipes have in common."""

import re

import pytest

from tests.harness.choices import CHOICES, TEMPLATE
from tests.harness.recipes import NAMES, PAGES, Recipe, changed

SECTIONS = ["Files", "Lines to change", "Settings", "What it costs", "Taking it out"]


@pytest.mark.parametrize("name", NAMES)
def test_page_has_its_sections_and_tests(name: str) -> None:
    recipe = Recipe(name)
    sections = re.findall(r"^## (.+)$", recipe.text, re.MULTILINE)
    assert [section for section in SECTIONS if section not in sections] == []
    assert recipe.files, "no block of code has a file"
    assert (TEMPLATE / "tests" / "recipes" / f"test_{name.replace('-', '_')}.py").exists()
    assert f"]({name}.md)" in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("database", CHOICES["database"])
@pytest.mark.parametrize("name", NAMES)
def test_it_changes_each_file_in_one_place(name: str, database: str) -> None:
    changes = [path for path, text in Recipe(name).changes(database) for _ in text.split("@@\n")]
    # Dependencies may be of two kinds, and a stage of an image is made and used.
    others = [path for path in changes if path not in {"pyproject.toml", "Dockerfile"}]
    assert len(others) == len(set(others))


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (" a\n+new\n", "a\nnew\nb\nab\n"),
        ("-b\n", "a\nab\n"),
        ("-a\n+c\n b\n", "c\nb\nab\n"),
        ("+new\n ab\n", "a\nb\nnew\nab\n"),
    ],
)
def test_lines_are_changed(change: str, after: str) -> None:
    assert changed("a\nb\nab\n", change, "file") == after


@pytest.mark.parametrize("change", [" c\n", "a\n", " \n"])
def test_change_that_does_not_fit_is_refused(change: str) -> None:
    with pytest.raises(AssertionError):
        changed("a\nb\n\n\n", change, "file")
