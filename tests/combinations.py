"""Combinations of the template's choices."""

import itertools
import json
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent

CONTEXT = json.loads((TEMPLATE / "cookiecutter.json").read_text())
CHOICES: dict[str, list[str]] = {
    name: values for name, values in CONTEXT.items() if isinstance(values, list)
}
# The choices that change what runs; the others change single files.
CORE = ["database", "gateway_server", "media_storage"]


def combinations(*names: str) -> list[dict[str, str]]:
    """Return all combinations of the values of these choices."""
    values = itertools.product(*(CHOICES[name] for name in names))
    return [dict(zip(names, chosen, strict=True)) for chosen in values]


def title(answers: dict[str, str]) -> str:
    return "-".join(answers.values())


NEW = combinations(*(name for name in CHOICES if name != "application"))
EXISTING = [
    {"application": "existing"} | answers for answers in combinations(*CORE, "reverse_proxy")
]
ALL = NEW + EXISTING
CORES = combinations(*CORE)
