"""What each release has promised is kept: its projects can be updated, and its answers stay."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import (
    CORES,
    PAIRED_CORES,
    TEMPLATE,
    TWO_CORES,
    Answers,
    label,
)
from tests.harness.owner import (
    Conflict,
    edit,
    edited,
    recorded_since,
    settle,
    unsaid,
)
from tests.harness.processes import run
from tests.harness.updates import (
    LOCKS,
    BakeVersion,
    answers_of,
    baker,
    commit,
    differing,
    follow,
    git,
    history,
    last_of_each_major,
    merge,
    needs_history,
    recipe,
    take_version,
    take_working_tree,
    update,
    versions_to_update_from,
)

VERSIONS = versions_to_update_from()
# Only from these the whole recipe is followed, because that takes a minute.
NEWEST = last_of_each_major(VERSIONS)

pytestmark = pytest.mark.sample(PAIRED_CORES)


def cores_of(version: str) -> list[Answers]:
    """Return those to update from a version: one in turn, where its major has a later version."""
    values = json.loads(history("show", f"{version}:cookiecutter.json"))
    cores = [core for core in CORES if all(core[name] in values[name] for name in core)]
    if version in NEWEST:
        return cores
    sample = [core for core in cores if core in PAIRED_CORES]
    return [sample[VERSIONS.index(version) % len(sample)]]


def projects_of(versions: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("answers", "version"),
        [(core, version) for version in versions for core in cores_of(version)]
        or [(CORES[0], None)],
        ids=lambda value: label(value) if isinstance(value, dict) else str(value)[:7],
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the template with the older versions and the working tree, each tagged."""
    template = tmp_path_factory.mktemp("releases") / "template"
    template.mkdir()
    git(template, "init", "-q")
    for version in [*VERSIONS, None]:
        for part in template.iterdir():
            if part.name != ".git":
                shutil.rmtree(part) if part.is_dir() else part.unlink()
        take_version(version, template) if version else take_working_tree(template)
        commit(template)
        git(template, "tag", f"the-{version}" if version else "now")
    return template


@pytest.fixture(scope="session")
def baked(template: Path, tmp_path_factory: pytest.TempPathFactory) -> BakeVersion:
    return baker(template, tmp_path_factory.mktemp("baked"))


@pytest.fixture
def make_project(baked: BakeVersion, tmp_path: Path) -> BakeVersion:
    """A project of a version, to be changed."""

    def make(version: str, answers: Answers) -> Path:
        folder = tmp_path / version
        return Path(shutil.copytree(baked(version, **answers), folder))

    return make


@projects_of(VERSIONS)
def test_untouched_project_gets_exactly_what_changed(
    answers: Answers, version: str | None, make_project: BakeVersion, baked: BakeVersion
) -> None:
    needs_history(version)
    project = make_project(f"the-{version}", answers)
    locks = {name: (project / name).read_bytes() for name in LOCKS}
    now = baked("now", **answers_of(project))

    update(project)

    assert differing(project, now) == []
    assert {name: (project / name).read_bytes() for name in LOCKS} == locks


@projects_of(VERSIONS)
def test_edits_survive(answers: Answers, version: str | None, make_project: BakeVersion) -> None:
    needs_history(version)
    project = edited(make_project(f"the-{version}", answers))
    now = make_project("now", answers_of(project))

    merge(project)
    settle(project, recorded_since(version))
    commit(project)

    assert differing(project, edited(now)) == []


# In the core that the three years have by git, because it installs twice and runs the whole gate.
@pytest.mark.sample(TWO_CORES[1:])
@projects_of(NEWEST)
def test_recipe_of_the_readme_brings_an_edited_project_up_to_date(
    answers: Answers,
    version: str | None,
    make_project: BakeVersion,
    install: Callable[[Baked], None],
    mypy_cache: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs_history(version)
    monkeypatch.setenv("MYPY_CACHE_DIR", mypy_cache)
    project = make_project(f"the-{version}", answers)
    now = make_project("now", answers_of(project))
    edit(project)
    run("make", "--old-file=install", "lock", folder=project)
    commit(project)
    install(Baked(answers, project))
    readme = recipe(now)

    follow(project, *readme.check, fails=True)
    follow(project, *readme.update)
    settle(project, recorded_since(version))
    follow(project, *readme.finish)

    follow(project, *readme.check)
    assert git(project, "status", "--porcelain") == ""
    assert differing(project, edited(now)) == []
    for name in LOCKS:
        assert "\nhumanize==" in (project / name).read_text()


def test_changelog_tells_of_each_recorded_conflict() -> None:
    assert unsaid((TEMPLATE / "CHANGELOG.md").read_text()) == []


RECORDED = {
    "1.2": {"a": Conflict("ours", "Keep your a."), "b": Conflict("ours", "Keep b.")},
    "1.10": {"a": Conflict("theirs", "Take our a.")},
}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.10", {}),
        ("1.9", {"a": "Take our a."}),
        ("1.1", {"a": "Take our a.", "b": "Keep b."}),
        ("ca99304", {"a": "Take our a.", "b": "Keep b."}),
    ],
)
def test_conflicts_are_those_of_all_later_releases(version: str, expected: dict[str, str]) -> None:
    recorded = recorded_since(version, RECORDED)
    assert {path: conflict.says for path, conflict in recorded.items()} == expected


def test_unsaid_conflict_is_found() -> None:
    changelog = "# Log\n\n## 1.10\n\nKeep b.\n\nTo update: take\nour a. Take\nour a.\n\n## 1.2\n\n"
    assert unsaid(f"{changelog}To update: Keep your a.\n", RECORDED) == ["1.2: Keep b."]
    assert unsaid(changelog.replace("Take", "Leave"), RECORDED) == [
        "1.2: Keep your a.",
        "1.2: Keep b.",
        "1.10: Take our a.",
    ]


@pytest.mark.parametrize(
    ("versions", "last"),
    [([], []), (["ca99304"], ["ca99304"]), (["1.0", "1.9", "1.10", "2.0"], ["1.10", "2.0"])],
)
def test_last_of_each_major_is_followed_by_the_whole_recipe(
    versions: list[str], last: list[str]
) -> None:
    assert last_of_each_major(versions) == last
