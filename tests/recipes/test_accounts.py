"""Accounts: used by people, on sites with several workers."""

import pytest

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.recipes import gate
from tests.recipes.conftest import Follow


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("accounts", **core), "accounts", mypy_cache=mypy_cache)
