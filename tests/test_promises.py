"""What each release has promised to those who answer its questions stays as it is."""

import json
import re
from copy import deepcopy
from itertools import product

import pytest
from cookiecutter.generate import apply_overwrites_to_context
from cookiecutter.prompt import prompt_for_config

from tests.conftest import Bake
from tests.harness.choices import CHOICES, CONTEXT
from tests.harness.updates import history, needs_history, versions_to_update_from


def broken_promises(old: dict, new: dict) -> list[str]:
    """Compare two cookiecutter.json and return what people of the old one relied on."""
    broken = []
    for name, was in old.items():
        if name.startswith("_"):
            continue
        value = new.get(name)
        if value is None:
            broken.append(f"{name} is gone")
        elif type(was) is not type(value):
            broken.append(f"{name} has choices no more, or has them now")
        elif isinstance(was, list):
            broken += [f"{name} has no {choice} any more" for choice in was if choice not in value]
    for name, was in old.get("__prompts__", {}).items():
        prompt = new.get("__prompts__", {}).get(name)
        if prompt is None:
            broken.append(f"{name} has no prompt")
        elif isinstance(was, dict):
            broken += [f"{name} has no prompt for {key}" for key in was if key not in prompt]
    return broken + other_defaults(old, new)


def other_defaults(old: dict, new: dict) -> list[str]:
    """Return which texts have another default; that of a choice may move.

    Each kind of application has its own, and some follow from the folder's name if it is given.
    """
    kinds = [kind for kind in old.get("application", []) if kind in new.get("application", [])]
    applications = [{"application": kind} for kind in kinds] or [{}]
    found = {}
    for application, slug in product(applications, [{}, {"project_slug": "own-slug"}]):
        before, now = (defaults(each, application | slug) for each in (old, new))
        for name, was in before.items():
            if isinstance(old[name], str) and isinstance(new.get(name), str) and was != now[name]:
                given = " ".join(f"{name}={value}" for name, value in (application | slug).items())
                found.setdefault(name, f"{name} has another default with {given}")
    return [message for name, message in found.items() if not name.startswith("_")]


def defaults(questions: dict, answers: dict[str, str]) -> dict:
    """Return the answers of somebody who gives these and else presses Enter."""
    context = deepcopy(questions)
    apply_overwrites_to_context(context, answers)
    return prompt_for_config({"cookiecutter": context}, no_input=True)


def test_questions_values_and_defaults_are_kept() -> None:
    version = next(reversed(versions_to_update_from()), None)
    needs_history(version)
    old = json.loads(history("show", f"{version}:cookiecutter.json"))
    assert old["database"]
    assert broken_promises(old, CONTEXT) == [], f"against {version}"


SLUG, PACKAGE = CONTEXT["project_slug"], CONTEXT["package_name"]
NEW = "with application=new"
EXISTING = "with application=existing"


@pytest.mark.parametrize(
    ("path", "value", "broken"),
    [
        (["ci"], None, ["ci is gone"]),
        (["description"], None, ["description is gone"]),
        (["ci"], ["github", "none"], ["ci has no gitlab any more"]),
        (["ci"], ["none"], ["ci has no github any more", "ci has no gitlab any more"]),
        (["ci"], "github", ["ci has choices no more, or has them now"]),
        (["description"], ["a", "b"], ["description has choices no more, or has them now"]),
        (["application"], ["new"], ["application has no existing any more"]),
        (["__prompts__", "description"], None, ["description has no prompt"]),
        (["__prompts__", "ci", "none"], None, ["ci has no prompt for none"]),
        (["__prompts__", "ci", "__prompt__"], None, ["ci has no prompt for __prompt__"]),
        (["__prompts__", "ci", "none"], "nothing", []),
        (["ci"], [*CHOICES["ci"], "bitbucket"], []),
        (["new"], ["no", "yes"], []),
        # The default of a choice
        (["ci"], ["gitlab", "github", "none"], []),
        (["python_version"], ["3.15", *CHOICES["python_version"]], []),
        (["application"], ["existing", "new"], []),
        # The default of a text
        (["description"], "Other.", [f"description has another default {NEW}"]),
        (["found"], "", [f"found has another default {NEW}"]),
        (
            ["project_slug"],
            SLUG.replace("-divio", "-deploy"),
            [f"project_slug has another default {EXISTING}"],
        ),
        (
            ["package_name"],
            PACKAGE.replace("on_divio", "divio"),
            [f"package_name has another default {EXISTING}"],
        ),
        (
            ["divio_slug"],
            "{{ cookiecutter.__name }}",
            [f"divio_slug has another default {NEW} project_slug=own-slug"],
        ),
        (["__name"], CONTEXT["__name"].replace(" | slugify", "|slugify"), []),
    ],
    ids=str,
)
def test_broken_promise_is_found(path: list[str], value: object, broken: list[str]) -> None:
    changed = deepcopy(CONTEXT)
    *parents, name = path
    place = changed
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[name]
    else:
        place[name] = value
    assert broken_promises(CONTEXT, changed) == broken


@pytest.mark.parametrize(("application", "page"), [("new", "README.md"), ("existing", "DEPLOY.md")])
def test_page_names_the_version_once(application: str, page: str, bake: Bake) -> None:
    text = bake(application=application).text(page)
    assert re.findall(r"flask-divio (\S+);", text) == [CONTEXT["_version"]]
