"""The repository itself: what its pipeline runs, its address and its picture."""

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.harness.choices import CHOICES, TEMPLATE
from tests.harness.pipelines import WORKFLOWS, run_step, workflow
from tests.harness.processes import add_program, environment, finish, run
from tests.harness.updates import (
    change,
    commit,
    git,
    history,
    make_repository,
    take_working_tree,
)
from tools.screenshot import PICTURE, checksums

JOBS = workflow(WORKFLOWS / "ci.yml")["jobs"]


# The pipeline


ALL = ["lint", "test", "test-recipes"]


@pytest.mark.parametrize(
    ("targets", "works", "made"),
    [
        ([], ["docker"], [*ALL, "test-docker"]),
        ([], [], ALL),
        ([], ["engine", "images"], [*ALL, "test-docker"]),
        ([], ["docker", "images"], None),
        (["lint", "test"], [], ["lint", "test"]),
        (["test-docker"], [], ["test-docker"]),
        (["lint", "broken", "test"], [], None),
    ],
)
def test_pipeline_makes(
    targets: list[str], works: list[str], made: list[str] | None, tmp_path: Path
) -> None:
    """All targets, or those that are named, and stops at the first that fails."""
    repository = tmp_path / "repository"
    (repository / ".ci").mkdir(parents=True)
    shutil.copy(TEMPLATE / ".ci" / "run", repository / ".ci")
    (repository / "Makefile").write_text("broken:; @false\n%:; @echo $@\n")
    add_program(tmp_path / "bin" / "docker", f"exit {int('docker' not in works)}")
    if "images" in works:
        for name in "engine", "images":
            status = int(name not in works)
            add_program(tmp_path / "shared" / "docker" / name, f"exit {status}")

    done = finish(repository / ".ci" / "run", *targets, env=environment(tmp_path / "bin"))

    assert (done.returncode == 0) == (made is not None), done.stderr
    if made is not None:
        assert done.stdout.split() == ["bootstrap", *made]
        assert ("LEFT OUT" in done.stderr) == (made == ALL)


def test_each_python_that_is_offered_is_tested() -> None:
    assert {*CHOICES["python_version"]} <= {*JOBS["test"]["strategy"]["matrix"]["python"]}


def test_sudo_that_resets_all_variables_keeps_the_python(tmp_path: Path) -> None:
    """As sudo-rs does, which ignored --preserve-env before its version 0.2.7."""
    reset = 'while [ "${1#-}" != "$1" ]; do shift; done; exec env -i PATH=/usr/bin:/bin "$@"'
    add_program(tmp_path / "bin" / "sudo", reset)
    add_program(tmp_path / ".ci" / "run", 'command -v "$PYTHON"; echo "$@"')
    python = tmp_path / "bin" / "python3.99"
    add_program(python)
    env = environment(tmp_path / "bin") | {"PYTHON": "3.99", "TARGETS": "lint test"}

    done = run_step(JOBS["test"], "Test", tmp_path, env)

    assert done.stdout.splitlines() == [str(python), "lint test"], done


@pytest.mark.parametrize(
    ("asked", "used", "passes"),
    [("3.12", "3.12.1", True), ("3.11", "3.12.1", False), ("3.1", "3.12.1", False)],
)
def test_pipeline_fails_on_another_python(
    asked: str, used: str, passes: bool, tmp_path: Path
) -> None:
    add_program(tmp_path / ".venv" / "bin" / "python", f"echo Python {used}")

    name = "Make sure that this Python did it"
    done = run_step(JOBS["test"], name, tmp_path, environment() | {"PYTHON": asked})

    assert (done.returncode == 0) == passes, done


Runner = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Run a step of a job in a template, in a runner that has a Python with pip alone."""
    folder = tmp_path_factory.mktemp("runner")
    run(sys.executable, "-m", "venv", folder / "python")
    (folder / "gitconfig").write_text("[core]\n\tautocrlf = true\n")  # as on Windows
    env = environment(folder / "python" / "bin") | {"RUNNER_TEMP": str(folder)}
    env["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")

    def runner(template: Path, job: str, name: str, **settings: str) -> CompletedProcess[str]:
        return run_step(JOBS[job], name, template, env | settings)

    runner(TEMPLATE, "bake-elsewhere", "Install the locked cookiecutter")
    locked = (TEMPLATE / "requirements-dev.txt").read_text()
    installed = run("pip", "freeze", env=env).split()
    assert "cookiecutter" in str(installed)
    for requirement in installed:
        assert f"\n{requirement.lower().replace('_', '-')} " in locked
    return runner


def test_bakes_of_systems_are_compared(runner: Runner, tmp_path: Path) -> None:
    """Up to the ends of lines, which git would mend."""
    template = tmp_path / "template"
    take_working_tree(template)
    shutil.copytree(TEMPLATE / ".ci", template / ".ci")
    make_repository(template)
    output = tmp_path / "output"

    runner(template, "bake", "Bake", GITHUB_OUTPUT=str(output))
    start, *lines, end = output.read_text().splitlines()
    paths = [line.partition("\t")[2] for line in lines]
    compare = partial(runner, template, "bake-elsewhere", "Bake, and compare with Linux")

    assert (start, end) == ("files<<END", "END")
    assert ".cruft.json" not in paths
    assert [paths.count(path) for path in ("Dockerfile", "uwsgi.ini", "nginx.conf")] == [2, 1, 1]
    files = "\n".join(lines)
    done = compare(FILES=files)
    assert (done.returncode, done.stdout) == (0, ""), done
    done = compare(FILES=files.replace(f"\n{lines[3]}", ""))
    assert done.returncode != 0
    assert lines[3] in done.stdout
    answers = template / "cookiecutter.json"
    change(answers, '"_new_lines": "\\n"', '"_new_lines": "\\r\\n"')
    commit(template)
    done = compare(FILES=files)
    assert done.returncode != 0
    assert "Dockerfile" in done.stdout
    answers.write_text("{}")
    assert compare(FILES=files).returncode != 0


# The address


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A clone with one link, and `make address`."""
    for name in "Makefile", "tools/address.py":
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(TEMPLATE / name, tmp_path / name)
    # In two parts, so that nothing is filled in here.
    (tmp_path / "README.md").write_text("gh:" + "OWNER/flask-divio\n")
    make_repository(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("origin", "given", "account"),
    [
        ("https://github.com/acme/flask-divio.git", "", "acme"),
        ("https://token@github.com/acme/flask-divio", "", "acme"),
        ("git@github.com:acme/flask-divio.git", "", "acme"),
        ("ssh://git@github.com/acme/flask-divio.git", "", "acme"),
        ("git@github.com:acme/flask-divio.git", "A-Fork-2", "A-Fork-2"),
        ("", "acme", "acme"),
        ("", "", None),
        ("git@git.divio.com:flask-divio.git", "", None),
        ("https://notgithub.com/acme/flask-divio", "", None),
        *(
            ("https://github.com/acme/flask-divio", nonsense, None)
            for nonsense in ["OWNER", "<org>", "a b", "a'b", "a/b", "-a", "a-", "a--b", "a" * 40]
        ),
    ],
)
def test_address_is_filled_in(origin: str, given: str, account: str | None, small: Path) -> None:
    """Or nonsense is refused, and nothing changed."""
    if origin:
        git(small, "remote", "add", "origin", origin)

    said = run(
        *["make", "--silent", "address", f"PYTHON={sys.executable}", f"OWNER={given}"],
        folder=small,
        fails=account is None,
    )

    assert (small / "README.md").read_text() == f"gh:{account or 'OWNER'}/flask-divio\n"
    if account is None:
        assert "make address OWNER=name" in said
        assert "Traceback" not in said


def test_no_placeholder_is_left(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in filter(None, history("ls-files", "-z").split("\0")):
        if (TEMPLATE / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TEMPLATE / name, clone / name)
    make_repository(clone)
    fill_in = ["make", "address", "OWNER=acme", f"PYTHON={sys.executable}"]

    run(*fill_in, folder=clone)

    found = git(clone, "grep", "-ohE", r"(gh:|github\.com/)[^/ ]+/flask-divio\b")
    assert set(found.split()) == {f"{start}acme/flask-divio" for start in ("gh:", "github.com/")}
    names = git(clone, "diff", "--name-only").splitlines()
    assert names == [".github/ISSUE_TEMPLATE/config.yml", "README.md", "SECURITY.md"]
    for name in names:
        assert "OWNER" not in (clone / name).read_text(), name
    changed = git(clone, "diff")
    run(*fill_in, folder=clone)
    assert git(clone, "diff") == changed


# The picture


def test_picture_is_of_the_page_as_it_is() -> None:
    known = PICTURE.with_suffix(".sha256").read_text()
    assert checksums() == known, "run 'make screenshot', and look at it"
    assert f"]({PICTURE.relative_to(TEMPLATE)})" in (TEMPLATE / "README.md").read_text()
