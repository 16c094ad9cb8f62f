"""Fixtures: projects to which a recipe was added."""

from collections.abc import Callable

import pytest

from tests.conftest import Bake
from tests.harness import recipes
from tests.harness.baked import Baked
from tests.harness.choices import label
from tests.harness.processes import run
from tests.harness.updates import git

Follow = Callable[..., Baked]


@pytest.fixture(scope="session")
def follow(bake: Bake, install: Callable[[Baked], None]) -> Follow:
    """Bake with some answers, add recipes, lock, install and migrate, each once."""
    followed: dict[str, Baked] = {}

    def follow(*names: str, **answers: str) -> Baked:
        key = f"{' '.join(names)} {label(answers)}"
        if key not in followed:
            project = bake(**answers)
            for name in names:
                recipes.Recipe(name).put_into(project)
            run("make", "--old-file=install", "lock", folder=project.folder)
            install(project)
            git(project.folder, "add", ".")
            project.run("make", "--old-file=install", "migration", "MESSAGE=add recipes")
            for name in names:
                recipes.Recipe(name).add_to_migration(project)
            git(project.folder, "add", ".")
            followed[key] = project
        return followed[key]

    return follow
