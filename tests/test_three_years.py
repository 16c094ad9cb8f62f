"""An owner stays current for three years, by both ways of the README, with made-up releases."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import CONTEXT, PROJECT, TWO_CORES, Answers, label
from tests.harness.locks import versions
from tests.harness.owner import EDITS, PACKAGE, Conflict, Place, edit, settle, unsaid
from tests.harness.processes import environment, run
from tests.harness.updates import (
    Recipe,
    answers_of,
    bake,
    baker,
    change,
    commit,
    differing,
    filled_in,
    git,
    make_template,
    merge,
    recipe,
    release,
)

OLDEST = CONTEXT["_version"]
TEMPLATE_PACKAGE = "{{cookiecutter.package_name}}"


def ask_and_rename(template: Path) -> None:
    """Ask a question, whose default gives what there was, and rename a file that owners edit."""
    values = '"guide": ["none", "short"],\n'
    change(template / "cookiecutter.json", '  "found"', f'  {values}  "found"')
    change(template / "hooks" / "pre_gen_project.py", '    "ci": [', f'    {values}    "ci": [')
    change(
        template / "hooks" / "post_gen_project.py",
        '    ("ci", "gitlab"): [',
        '    ("guide", "short"): ["GUIDE.md"],\n    ("ci", "gitlab"): [',
    )
    project = template / PROJECT.name
    (project / "GUIDE.md").write_text("# {{ cookiecutter.project_name }}\n")
    (project / "tests" / "test_config.py").rename(project / "tests" / "test_settings.py")


def remove_and_move(template: Path) -> None:
    """Remove files, one of which owners have deleted, and move what they edit to a new module."""
    project = template / PROJECT.name
    package = project / TEMPLATE_PACKAGE
    (project / "tests" / "test_urls.py").unlink()
    (project / ".editorconfig").unlink()
    change(package / "pages.py", "Hello, World!", "Hello, Divio!")
    config = package / "config.py"
    function = re.search(r"\n\n\ndef in_ascii.+?(?=\n\n\ndef |\Z)", config.read_text(), re.DOTALL)
    assert function, f"{config} has no function in_ascii"
    (package / "idna.py").write_text(f'"""Host names in ASCII."""{function[0]}\n')
    change(config, function[0], "")
    imports = "from .environment import DEVELOPMENT_KEY, Environment\n"
    change(config, imports, f"{imports}from .idna import in_ascii\n")


def change_defaults(template: Path) -> None:
    """Move the default of a choice, and change a setting's, in a line that owners edit."""
    old, new = '"python_version": ["', '"python_version": ["3.99", "'
    change(template / "cookiecutter.json", old, new)
    change(template / "hooks" / "pre_gen_project.py", old, new)
    project = template / PROJECT.name
    config = project / TEMPLATE_PACKAGE / "config.py"
    change(config, "default=100, least=1, most=500", "default=50, least=1, most=500")
    change(project / "tests" / "test_settings.py", "100 * 2**20", "50 * 2**20")
    change(project / "README.md", "| `MAX_UPLOAD_MB` | `100` |", "| `MAX_UPLOAD_MB` | `50` |")


RELEASES = {"77.1": ask_and_rename, "77.2": remove_and_move, "78.0": change_defaults}
CHANGELOG = """# Changelog

## 78.0

To update: follow the recipe. Where you changed the default of `MAX_UPLOAD_MB`,
keep yours, also in its test.

## 77.2

To update: follow the recipe. Make your changes of `in_ascii` again in `idna.py`.
"""
KEPT = Conflict("ours", "Where you changed the default of `MAX_UPLOAD_MB`, keep yours")
CONFLICTS = {
    "77.2": {
        f"{PACKAGE}/config.py": Conflict("theirs", "Make your changes of `in_ascii` again in `idna")
    },
    "78.0": {f"{PACKAGE}/config.py": KEPT, "tests/test_settings.py": KEPT},
}

# Those of all releases, with their places in these.
(setting,) = EDITS["the test of settings"]
(default,) = EDITS["a default"]
(default_test,) = EDITS["the test of defaults"]
OWN_EDITS = EDITS | {
    "the test of settings": [setting, setting._replace(path="tests/test_settings.py")],
    "a default": [default, default._replace(old=default.old.replace("100", "50"))],
    "the test of defaults": [
        default_test,
        default_test._replace(path="tests/test_settings.py"),
        default_test._replace(
            path="tests/test_settings.py", old=default_test.old.replace("100", "50")
        ),
    ],
    "what is moved": [
        Place(f"{PACKAGE}/{module}.py", "    # By label,", "    # Also ours by label,")
        for module in ("config", "idna")
    ],
}
MOVED = {f"{PACKAGE}/pages.py": f"{PACKAGE}/front.py"}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A repository with these releases, whose default branch is at the oldest."""
    template = make_template(tmp_path / "template.git")  # by which cookiecutter knows git
    for version, change_template in RELEASES.items():
        change_template(template)
        release(template, version)
    publish(template, OLDEST)
    return template


def publish(template: Path, version: str) -> None:
    git(template, "checkout", "-q", "-B", "release", version)


def grown(project: Path) -> Path:
    """Edit the project, and move a file."""
    edit(project, OWN_EDITS)
    for old, new in MOVED.items():
        (project / old).rename(project / new)
    commit(project)
    return project


def pins(project: Path) -> dict[str, str]:
    return versions((project / "requirements-dev.txt").read_text())


def end_index(project: Baked, limits: dict[str, str]) -> None:
    """Have the index end with these versions, each behind its operator, for what `type_in` locks.

    By a file, because UV_CONSTRAINT gives way to the constraints that `make lock` has.
    """
    constraints = [f"{name}{limit}" for name, limit in limits.items()]
    settings = f"constraint-dependencies = {json.dumps(constraints)}\n"
    project.folder.with_name(INDEX).write_text(settings)


INDEX = "index.toml"


def type_in(project: Baked, *commands: str, fails: bool = False) -> None:
    """Run commands as an owner types them, but that uv installs.

    What is one script is run as one, at home where cookiecutter may leave its clones.
    """
    env = environment() | {"UV_CONFIG_FILE": str(project.folder.with_name(INDEX))}
    if not commands[0].startswith("make"):
        env |= {"HOME": str(project.folder.parent)}
        commands = ("\n".join(commands),)
    for command in commands:
        if command.startswith("make") and "--old-file=install" not in command:
            have_installed(project)
        run("bash", "-ec", command, fails=fails, folder=project.folder, env=env)


def have_installed(project: Baked) -> None:
    """Do what `make install` does, and nothing where all that is locked is installed already."""
    lock = project.text("requirements-dev.txt")
    installed = project.bin.parent / "installed"
    if installed.read_text() != lock:
        shutil.rmtree(project.bin.parent)
        project.install()
        installed.write_text(lock)
    installed.touch()


def by_cruft(project: Baked, readme: Recipe, template: str, version: str) -> None:
    type_in(project, *readme.update)


def by_git(project: Baked, readme: Recipe, template: str, version: str) -> None:
    if not git(project.folder, "branch", "--list", "template"):
        type_in(project, *readme.make_branch)
    commands = filled_in(readme.update_without_cruft, {"URL": template, "1.1": version})
    # git merge, the last of them, fails with each conflict.
    type_in(project, commands, fails=version in CONFLICTS)


def get_what_cruft_passed_over(project: Baked, readme: Recipe) -> None:
    """Merge the same version once more, by the branch, which reaches files that were moved."""
    type_in(project, *readme.make_branch)
    state = json.loads(project.text(".cruft.json"))
    given = {"cruft update": f"cruft update --checkout {state['commit']}"}
    type_in(project, f"{filled_in(readme.update_branch, given)} --strategy-option ours")
    settle(project.folder, {}, OWN_EDITS)
    commit(project.folder)


@contextmanager
def step(*names: str) -> Iterator[None]:
    """Tell with what fails in which step it did."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the step: {', '.join(names)}")
        raise


def test_changelog_of_these_releases_tells_of_their_conflicts() -> None:
    assert unsaid(CHANGELOG, CONFLICTS) == []


def test_conflict_has_to_be_recorded_and_to_happen(template: Path, tmp_path: Path) -> None:
    bake = baker(template, tmp_path)
    project = grown(bake("77.2"))
    publish(template, "78.0")
    merge(project)

    with pytest.raises(AssertionError, match=r"has conflicts in \['my_flask_app/config.py', 'test"):
        settle(project, {}, OWN_EDITS)
    with pytest.raises(AssertionError, match="has conflicts in"):
        settle(project, CONFLICTS["78.0"] | {"Dockerfile": KEPT}, OWN_EDITS)
    settle(project, CONFLICTS["78.0"], OWN_EDITS)
    commit(project)
    assert differing(project, grown(bake("78.0", **answers_of(project)))) == []


@pytest.mark.parametrize(
    ("answers", "update"),
    [(TWO_CORES[0], by_cruft), (TWO_CORES[1], by_git)],
    ids=lambda value: label(value) if isinstance(value, dict) else value.__name__,
)
def test_owner_stays_current_for_three_years(
    answers: Answers,
    update: Callable[[Baked, Recipe, str, str], None],
    template: Path,
    tmp_path: Path,
    install: Callable[[Baked], None],
    mypy_cache: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MYPY_CACHE_DIR", mypy_cache)
    way = update.__name__
    url = f"file://{template}"
    fresh = baker(template, tmp_path / "fresh")

    with step(way, OLDEST, "bake"):
        folder, _ = bake(url, tmp_path, "--checkout", OLDEST, **answers)
        project = Baked(answers, folder)
        commit(folder)
        answers = answers_of(folder)
        newest = pins(folder) | {"humanize": "4.17.0"}
        limits = {name: f"<={version}" for name, version in newest.items()}
        older = {name: f"<{newest[name]}" for name in ("click", "humanize", "iniconfig")}
    with step(way, OLDEST, "grow, with older pins"):
        grown(folder)
        end_index(project, limits | older)
        type_in(project, "make --old-file=install lock")
        install(project)
        (project.bin.parent / "installed").write_text(project.text("requirements-dev.txt"))
        type_in(project, "make check")
        commit(folder)
        locked = pins(folder)
        assert {name for name in newest if locked[name] != newest[name]} == {*older}
    end_index(project, limits)

    for version in RELEASES:
        publish(template, version)
        expected = grown(Path(shutil.copytree(fresh(version, **answers), tmp_path / version)))
        readme = recipe(expected)
        with step(way, version, "update"):
            update(project, readme, url, version)
            settle(folder, CONFLICTS.get(version, {}), OWN_EDITS)
        with step(way, version, "lock, check and commit"):
            type_in(project, *readme.finish)
            assert pins(folder) == locked
        passed_over = {*MOVED.values()} if (update, version) == (by_cruft, "77.2") else set()
        with step(way, version, "find all edits and the whole release"):
            assert {*differing(folder, expected)} == passed_over
        if passed_over:
            with step(way, version, "get what cruft passed over"):
                get_what_cruft_passed_over(project, readme)
                assert differing(folder, expected) == []
        if locked != newest:
            with step(way, version, "renew the pins"):
                type_in(project, *readme.renew)
                locked = pins(folder)
                assert locked == newest
        with step(way, version, "be up to date"):
            type_in(project, *readme.check)
            assert answers_of(folder) == answers_of(expected)
            assert git(folder, "status", "--porcelain") == ""
