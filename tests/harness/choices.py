"""The template's choices, and their combinations."""

import ast
import itertools
import json
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parents[2]
PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}"

CONTEXT = json.loads((TEMPLATE / "cookiecutter.json").read_text())
CHOICES: dict[str, list[str]] = {
    name: values for name, values in CONTEXT.items() if isinstance(values, list)
}
# The choices that change what runs; the others change single files.
CORE = ["database", "gateway_server", "media_storage"]

Answers = dict[str, str]


def combinations(*names: str) -> list[Answers]:
    """Return all combinations of the values of these choices."""
    values = itertools.product(*(CHOICES[name] for name in names))
    return [dict(zip(names, chosen, strict=True)) for chosen in values]


def label(answers: Answers) -> str:
    """Return a name for these answers, such as postgres-gunicorn-s3."""
    return "-".join(answers.values())


def covering(everything: list[Answers]) -> list[Answers]:
    """Return as few of these combinations as have each value of an answer with each core.

    Their number is that of the cores, times that of the values of the longest other choice.
    """
    chosen = []
    for core in CORES:
        candidates = [answers for answers in everything if core.items() <= answers.items()]
        missing = set().union(*(answers.items() for answers in candidates))
        while missing:
            best = max(candidates, key=lambda answers: len(missing & answers.items()))
            missing -= best.items()
            chosen.append(best)
    return chosen


CORES = combinations(*CORE)
# Half of the cores, in which each value still meets each value of the other choices.
HALF_OF_CORES = [
    answers
    for answers in CORES
    if sum(CHOICES[name].index(answers[name]) for name in CORE) % 2 == 0
]
# Two cores that differ in everything.
TWO_CORES = [CORES[0], CORES[-1]]

NEW = combinations(*(name for name in CHOICES if name != "application"))
EXISTING = [
    {"application": "existing"} | answers for answers in combinations(*CORE, "reverse_proxy")
]


def constant_of_hook(hook: str, name: str, **names: Any) -> Any:
    """Return what a hook assigns to a name, given the names that the expression uses."""
    for node in ast.parse((TEMPLATE / "hooks" / f"{hook}.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return eval(compile(ast.Expression(node.value), hook, "eval"), names)
    raise AssertionError(f"{hook} has no {name}")
