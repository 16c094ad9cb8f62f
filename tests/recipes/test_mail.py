"""Mail: the recipe's own tests have real servers, and the catcher of the local stack is theirs."""

import pytest

from tests.harness.choices import TWO_CORES, Answers, label
from tests.harness.recipes import gate
from tests.recipes.conftest import Follow


@pytest.mark.parametrize("core", TWO_CORES, ids=label)
def test_gate(core: Answers, follow: Follow, mypy_cache: str) -> None:
    gate(follow("mail", **core), "mail", mypy_cache=mypy_cache)
