"""Releases: the rules, the commands of the Makefile and the workflow, in real repositories.

A bare repository plays the forge, and a script of that name plays `gh`.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.harness.choices import TEMPLATE
from tests.harness.pipelines import WORKFLOWS, run_step, workflow
from tests.harness.processes import add_program, environment, finish, run
from tests.harness.updates import git, history, needs_history
from tools import release

# What the scripts below are written with: 1.0 is released, and 1.1 has begun.
WORDS = r"""
commit() { git add --all; git commit --quiet --message Work; }
change() { echo >>hooks/hook.py; commit; }
version() { sed -i "s/\"_version\": \".*\"/\"_version\": \"$1\"/" cookiecutter.json; }
section() { sed -i "0,/^## /s//## $1\n\nMore.\n\nTo update: a.\n\n## /" CHANGELOG.md; }
begin() { version "$1"; section "$1"; commit; }
branch() { git switch --quiet --create "$1"; }
push() { git push --quiet origin --tags main; }
"""
CHANGELOG = "# Changelog\n\nVersions are MAJOR.MINOR.\n\n## 1.0\n\nFirst.\n\nTo update: a.\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the forge and a clone of it."""
    folder = tmp_path_factory.mktemp("base")
    git(folder, "init", "-q", "--bare", "--initial-branch=main", "forge.git")
    git(folder, "clone", "-q", "forge.git", "clone")
    clone = folder / "clone"
    git(clone, "remote", "set-url", "origin", "../forge.git")
    (clone / "tools").mkdir()
    for name in ".gitignore", "Makefile", "cookiecutter.json", "tools/release.py":
        shutil.copy(TEMPLATE / name, clone / name)
    for name in release.PARTS[1:]:
        (clone / name).mkdir()
        (clone / name / "hook.py").touch()
    (clone / "CHANGELOG.md").write_text(CHANGELOG)
    script(
        clone,
        "version 1.0; commit; git tag 1.0; git push -q origin 1.0^{commit}:refs/heads/release",
    )
    script(clone, "begin 1.1; push; git fetch --quiet")
    return folder


@pytest.fixture
def clone(base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(base, tmp_path / "base") / "clone"


@pytest.fixture
def forge(clone: Path) -> Path:
    return clone.parent / "forge.git"


def script(folder: Path, text: str) -> None:
    run("bash", "-ec", WORDS + text, folder=folder)


def problems(folder: Path) -> list[str]:
    code = "from tools.release import problems; print(*problems(), sep='\\n')"
    return told(run("python3", "-c", code, folder=folder))


def told(said: str) -> list[str]:
    """Return the lines, with a word in place of each commit."""
    return re.sub(r"\b[0-9a-f]{7,40}\b", "COMMIT", said).splitlines()


def refs(repository: Path) -> dict[str, str]:
    """Return the commits of all branches and tags."""
    lines = git(repository, "show-ref", "--dereference").splitlines()
    return {name: commit for commit, name in map(str.split, lines)}


def undo(tag: str) -> str:
    return f"Delete it: git tag --delete {tag}; git push --delete origin refs/tags/{tag}"


def no_version(tag: str) -> str:
    return f"Tag {tag}: it is no version, which is MAJOR.MINOR and no more. {undo(tag)}"


def tag_of_another(tag: str, what: str, version: str) -> str:
    return f"Tag {tag}: it is at COMMIT, where {what} is {version!r}. {undo(tag)}"


TEN_RELEASES = "".join(f"git tag 1.{n}; begin 1.{n + 1}; " for n in range(1, 11))
NO_VERSIONS = ["v1.1", "1.1.0", "2", "1.1rc1", "01.1", "release/1.1"]
# What is done, and what is told.
SLIPS = {
    "tags that are no version": (
        "; ".join(f"git tag {tag}" for tag in NO_VERSIONS),
        [no_version(tag) for tag in NO_VERSIONS],
    ),
    "the last one is not tagged": (
        "begin 1.2; git tag 1.2",
        [
            "CHANGELOG.md: 1.1 is below 1.2, and was never released. Release it first, or make one "
            f"section of both. If it is: git fetch --tags origin{release.IN_A_FORK}"
        ],
    ),
    "not merged": (
        "branch idea; change; git tag 1.1; git switch --quiet main",
        [f"Tag 1.1: it is at COMMIT, which is not on main. {undo('1.1')}"],
    ),
    "another version": (
        "git tag 1.2",
        [
            "CHANGELOG.md: 1.2 is released and has no section. Put it back.",
            tag_of_another("1.2", "_version of cookiecutter.json", "1.1"),
            tag_of_another("1.2", "the top of CHANGELOG.md", "1.1"),
        ],
    ),
    "an older commit": (
        "git tag 1.1 HEAD^",
        [
            tag_of_another("1.1", "_version of cookiecutter.json", "1.0"),
            tag_of_another("1.1", "the top of CHANGELOG.md", "1.0"),
        ],
    ),
    "not in the changelog": (
        "version 1.2; commit; git tag 1.2",
        [
            "CHANGELOG.md: 1.1 is on top, but 1.2 is _version in cookiecutter.json. Correct one.",
            tag_of_another("1.2", "the top of CHANGELOG.md", "1.1"),
            "CHANGELOG.md: 1.2 is released and has no section. Put it back.",
        ],
    ),
    "in the changelog alone": (
        "git tag 1.1; section 1.2; commit",
        ["CHANGELOG.md: 1.2 is on top, but 1.1 is _version in cookiecutter.json. Correct one."],
    ),
    "one left out": (
        "git tag 1.1; begin 1.3; git tag 1.3",
        ["CHANGELOG.md: 1.3 does not follow 1.1. 1.2 or 2.0 would."],
    ),
    "backwards": (
        "git tag 1.1; begin 0.9; git tag 0.9",
        ["CHANGELOG.md: 0.9 does not follow 1.1. 1.2 or 2.0 would."],
    ),
    "a version of three numbers": (
        "version 1.1.1; sed -i 's/^## 1.1$/&.1/' CHANGELOG.md; commit",
        [
            "cookiecutter.json: _version is '1.1.1', and not MAJOR.MINOR, such as 1.1.",
            "CHANGELOG.md: 1.1.1 does not follow 1.0. 1.1 or 2.0 would.",
        ],
    ),
    "nothing for owners": (
        "sed -i 's/^To update: //' CHANGELOG.md; commit; git tag 1.1",
        [
            f"CHANGELOG.md: {version} does not tell owners what to do: 'To update: ...'."
            for version in ("1.1", "1.0")
        ],
    ),
    "a section is gone": (
        "sed -i '/^## 1.0$/,$d' CHANGELOG.md; commit; git tag 1.1",
        ["CHANGELOG.md: 1.0 is released and has no section. Put it back."],
    ),
    "changed after the release": (
        "git tag 1.1; change",
        ["1.1 is released, and the template has changed since. Run: make next"],
    ),
    "a new file after the release": (
        "git tag 1.1; touch templates/new.txt",
        ["1.1 is released, and the template has changed since. Run: make next"],
    ),
    "merged into release": (
        f"{TEN_RELEASES} git tag 1.11; branch idea; change; git push --quiet origin idea:release; "
        "git switch --quiet main",
        [
            "Branch release: it is at COMMIT, which is no release. Bring to main what it has, "
            "then: git push --force origin refs/tags/1.11^{commit}:refs/heads/release"
        ],
    ),
    "no main": (
        "branch idea; git branch --quiet --delete main; git update-ref -d refs/remotes/origin/main",
        [f"main is not here: git fetch origin main:refs/remotes/origin/main{release.IN_A_FORK}"],
    ),
    "no history": (
        "git tag 1.1; push; git rev-parse HEAD >.git/shallow",
        ["The history is not here, which tells what is released: git fetch --unshallow"],
    ),
}
FINE = {
    "a version has begun": "true",
    "released": "git tag 1.1",
    "a major one has begun": "git tag 1.1; begin 2.0",
    "ten releases": TEN_RELEASES,
    "only the documents change": "git tag 1.1; echo >README.md; commit",
    "other tags": "git tag before-3-moves; git tag python-3.15; git tag 2026-01-31",
    "a branch that is older than a tag": (
        "branch idea; change; git switch --quiet main; echo >README.md; commit; git tag 1.1; "
        "begin 1.2; git tag 1.2; push; git switch --quiet idea"
    ),
    "main is but the forge's": "branch idea; git branch --quiet --delete main; change",
    "main is behind the forge's": "git tag 1.1; push; branch idea; git branch --force main HEAD^",
    "an old release": "git tag 1.1; push; git checkout --quiet --detach 1.0; git branch -D main",
    "the address of origin is another's": "git remote rename origin upstream",
}


def test_versions_of_this_repository() -> None:
    complete = history("rev-parse", "--is-shallow-repository", fails=None) == "false\n"
    needs_history("HEAD" if complete else None)
    assert release.problems() == []


@pytest.mark.parametrize(("done", "lines"), SLIPS.values(), ids=SLIPS)
def test_slip_is_told(done: str, lines: list[str], clone: Path) -> None:
    script(clone, done)
    assert sorted(problems(clone)) == sorted(lines)


@pytest.mark.parametrize("done", FINE.values(), ids=FINE)
def test_what_is_right_is_no_slip(done: str, clone: Path) -> None:
    script(clone, done)
    assert problems(clone) == [""]


# make release


@pytest.mark.parametrize(
    ("done", "lines"),
    [
        ("branch idea", ["This is idea, and releases are made on main: git switch main"]),
        ("git checkout --quiet --detach", ["This is HEAD, and releases are made on main: ..."]),
        ("echo >new", ["There is work that is not committed: see git status."]),
        ("change", ["This is not what main is at origin: git pull, or git push and wait for CI."]),
        (
            "change; push; git reset --quiet --hard HEAD^",
            ["This is not what main is at origin: git pull, or git push and wait for CI."],
        ),
        (
            "git tag 1.1; push",
            ["1.1 is released already. What comes next begins with: make next"],
        ),
        (
            "git tag 1.1",
            ["Tag 1.1: it is not at origin. Delete it: git tag --delete 1.1"],
        ),
        (
            "branch idea; change; git tag 1.1; git switch --quiet main; push",
            [f"Tag 1.1: it is at COMMIT, which is not on main. {undo('1.1')}"],
        ),
        (
            "git tag 1.1; git switch --quiet --create release 1.0",
            ["This is release, and releases are made on main: git switch main"],
        ),
        (
            "git tag 1.1; make next; commit; push",
            ["CHANGELOG.md: 1.2 does not tell people what it changes."],
        ),
        (
            "git tag 1.1; git push --quiet origin 1.1; git tag --delete 1.1",
            ["1.1 is released already. What comes next begins with: make next"],
        ),
        (
            "git tag v1.1; branch idea; echo >new",
            [
                "There is work that is not committed: see git status.",
                "This is idea, and releases are made on main: git switch main",
                no_version("v1.1"),
            ],
        ),
        (
            "git remote set-url origin ../gone.git",
            ["git fetch --tags origin +refs/heads/main:refs/remotes/origin/main failed:", "..."],
        ),
    ],
)
def test_release_is_refused(done: str, lines: list[str], clone: Path, forge: Path) -> None:
    script(clone, done)
    before = refs(forge)

    output = finish("make", "release", folder=clone)

    assert output.returncode != 0
    said = [line for line in told(output.stderr) if not line.startswith("make:")]
    for line, expected in zip(said, lines, strict="..." not in lines):
        assert line == expected or (expected.endswith("...") and line.startswith(expected[:-3]))
    assert refs(forge) == before


def test_release_tags_main_and_tells_what_is_next(clone: Path, forge: Path) -> None:
    said = run("make", "release", folder=clone)

    assert git(forge, "cat-file", "-t", "1.1") == "tag\n"
    assert refs(forge)["refs/tags/1.1^{}"] == refs(forge)["refs/heads/main"]
    assert said.startswith("1.1 is tagged and pushed. The workflow Release, under Actions")


def test_release_that_cannot_be_pushed_can_be_tried_again(clone: Path, forge: Path) -> None:
    hook = forge / "hooks" / "pre-receive"
    add_program(hook, "echo 'no space' >&2; exit 1")

    said = run("make", "release", folder=clone, fails=True)

    assert "no space" in said
    assert "Traceback" not in said
    assert "refs/tags/1.1" not in refs(clone)
    hook.unlink()
    run("make", "release", folder=clone)
    assert "refs/tags/1.1" in refs(forge)


# make next


@pytest.mark.parametrize(
    ("arguments", "version", "text"),
    [
        ("", "1.2", ""),
        ("major", "2.0", ""),
        ("--text 'Renewed \\1 locks.'", "1.2", "Renewed \\1 locks.\n\n"),
    ],
)
def test_next_version_begins(arguments: str, version: str, text: str, clone: Path) -> None:
    script(clone, "git tag 1.1")
    context, changelog = read(clone)

    said = run("make", "next", f"ARGS={arguments}", folder=clone)

    section = f"## {version}\n\n{text}To update: follow the recipe.\n\n## 1.1\n"
    assert read(clone) == (
        context.replace('"_version": "1.1"', f'"_version": "{version}"'),
        changelog.replace("## 1.1\n", section),
    )
    assert problems(clone) == [""]
    assert said.startswith(f"{version} has begun. Say in CHANGELOG.md what it changes")


@pytest.mark.parametrize(
    ("done", "line"),
    [
        ("true", "1.1 has begun, and is not released: nothing is changed."),
        ("git tag 1.1; make next", "1.2 has begun, and is not released: nothing is changed."),
        (
            "git tag 1.1; section 1.2",
            "CHANGELOG.md: 1.2 is on top, but 1.1 is _version in cookiecutter.json. Correct one.",
        ),
        (
            "git switch --quiet --create release 1.0",
            "This is release, which only releases move: git switch main",
        ),
    ],
)
def test_next_version_does_not_begin_twice(done: str, line: str, clone: Path) -> None:
    script(clone, done)
    before = read(clone)

    assert line in run("make", "next", folder=clone, fails=None, errors=True)

    assert read(clone) == before


def read(clone: Path) -> tuple[str, ...]:
    return tuple((clone / name).read_text() for name in ("cookiecutter.json", "CHANGELOG.md"))


# The workflow


RELEASE = workflow(WORKFLOWS / "release.yml")
# Knows one release, and notes what it was asked to create.
GH = """case "$1 $2" in
"release view") test -e ../notes ;;
"release create") echo "$*" >>../created && test -z "$GH_FAILS" && cat >../notes ;;
esac
"""

Job = Callable[..., CompletedProcess[str]]


@pytest.fixture
def job(forge: Path, tmp_path: Path) -> Job:
    """Run the steps of a job for a tag, or for a commit that had it, until one fails."""
    add_program(tmp_path / "bin" / "gh", GH)
    (tmp_path / "created").touch()

    def job(name: str, tag: str, commit: str = "", fails: str = "") -> CompletedProcess[str]:
        folder = tmp_path / "runner"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        check_out, *steps = RELEASE["jobs"][name]["steps"]
        # What the action does with these options.
        assert check_out["uses"].startswith("actions/checkout@")
        assert check_out["with"] == {"persist-credentials": False, "fetch-depth": 0}
        git(folder, "init", "-q")
        git(folder, "remote", "add", "origin", str(forge))
        everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        git(folder, "fetch", "-q", "origin", *everything)
        git(folder, "checkout", "-q", "--detach", commit or f"refs/tags/{tag}")
        env = environment(tmp_path / "bin") | {"GITHUB_REF_NAME": tag, "GH_FAILS": fails}
        for step in steps:
            done = run_step(RELEASE["jobs"][name], step["name"], folder, env)
            if done.returncode:
                break
        return done

    return job


CREATE = "release create 1.1 --verify-tag --title 1.1 --notes-file -\n"


def test_tag_moves_the_branch_and_publishes_its_notes(
    clone: Path, forge: Path, job: Job, tmp_path: Path
) -> None:
    run("make", "release", folder=clone)
    script(clone, "echo >README.md; commit; push")  # while CI runs
    before = refs(forge)

    for _ in range(2):
        for name in "check", "release":
            done = job(name, "1.1")
            assert done.returncode == 0, done

        assert refs(forge) == before | {"refs/heads/release": before["refs/tags/1.1^{}"]}
        assert (tmp_path / "created").read_text() == CREATE, "once"
    assert (tmp_path / "notes").read_text() == "More.\n\nTo update: a.\n"


def test_first_release_makes_the_branch(clone: Path, forge: Path, job: Job) -> None:
    git(forge, "update-ref", "-d", "refs/heads/release")
    done = job("release", "1.0")
    assert done.returncode == 0, done
    assert refs(forge)["refs/heads/release"] == refs(forge)["refs/tags/1.0"]


def test_run_that_failed_half_way_can_be_run_again(clone: Path, job: Job, tmp_path: Path) -> None:
    run("make", "release", folder=clone)

    assert job("release", "1.1", fails="yes").returncode == 1
    done = job("release", "1.1")

    assert done.returncode == 0, done
    assert (tmp_path / "created").read_text() == CREATE * 2


# The tag that is pushed after a slip.
PUSHED = {
    "tags that are no version": "v1.1",
    "the last one is not tagged": "1.2",
    "not merged": "1.1",
    "another version": "1.2",
    "merged into release": "1.11",
}


@pytest.mark.parametrize(
    ("done", "lines", "tag"),
    [
        ("git tag try-1", [no_version("try-1")], "try-1"),
        *((*SLIPS[name], tag) for name, tag in PUSHED.items()),
    ],
    ids=["a word", *PUSHED],
)
def test_slip_moves_nothing(
    done: str, lines: list[str], tag: str, clone: Path, forge: Path, job: Job
) -> None:
    script(clone, f"{done}; push")
    before = refs(forge)

    for name in "check", "release":
        done = job(name, tag)
        assert done.returncode == 1, done
        assert {*lines} <= {*told(done.stderr)}

    assert refs(forge) == before


@pytest.mark.parametrize(
    ("done", "line"),
    [
        ("git push -q --delete origin 1.1", "couldn't find remote ref refs/tags/1.1"),
        (
            "change; git tag -f 1.1; git push -qf origin main 1.1",
            "Tag 1.1: it is at COMMIT, and COMMIT was tested. It has its own run.",
        ),
    ],
)
def test_tag_that_was_taken_back_while_ci_ran_moves_nothing(
    done: str, line: str, clone: Path, forge: Path, job: Job
) -> None:
    script(clone, "git tag 1.1; push")
    commit = git(clone, "rev-parse", "1.1").strip()
    script(clone, done)
    before = refs(forge)

    output = job("release", "1.1", commit)

    assert output.returncode != 0
    assert line in "\n".join(told(output.stderr))
    assert refs(forge) == before


def test_branch_goes_forward_only(clone: Path, forge: Path, job: Job, tmp_path: Path) -> None:
    script(clone, "git tag 1.1; push; git push --quiet origin 1.1^{commit}:release")
    before = refs(forge)

    done = job("release", "1.0")

    assert done.returncode == 1
    assert "non-fast-forward" in done.stderr
    assert "::error::The branch release did not move" in done.stdout
    assert refs(forge) == before
    assert (tmp_path / "created").read_text() == ""


def test_nothing_is_written_before_the_tag_and_ci_are_seen_to() -> None:
    jobs = RELEASE["jobs"]
    assert (jobs["ci"]["needs"], jobs["release"]["needs"]) == ("check", "ci")
    writes = [name for name, job in jobs.items() if "write" in job["permissions"].values()]
    assert writes == ["release"]


def test_ci_does_not_stop_the_workflow_that_calls_it() -> None:
    def group(called: dict) -> str:
        text = called["concurrency"]["group"].replace("${{ github.workflow }}", "Release")
        return text.replace("${{ github.ref }}", "refs/tags/1.1").lower()

    assert group(workflow(WORKFLOWS / "ci.yml")) != group(RELEASE)
