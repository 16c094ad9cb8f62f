"""tools/lock.py makes one template of all locks, or says why it cannot and writes nothing."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from tests.harness.choices import TEMPLATE, label
from tests.harness.locks import LOCKED, unmet, versions
from tools import lock
from tools.lock import CONDITIONS, FLAGS, Lock, what_differs

LOCKS = ["templates/lock.txt", "requirements-dev.txt"]

COMMENT = "# Written by uv.\n"
TOOLS = COMMENT + "click==2\ncookiecutter==3\ncruft==1 ; marker\ntyper==4\n"
PACKAGE = "package==1.0 \\\n    --hash=sha256:0123\n"


def locks(blocks: dict[str, str]) -> list[Lock]:
    """Return every lock, each with the blocks whose pattern its name matches."""
    found = []
    for answers in what_differs():
        new = answers["application"] == "new"
        for name in (
            ["requirements.txt", "requirements-dev.txt"] if new else ["requirements-divio.txt"]
        ):
            title = f"{label(answers)}/{name}"
            variables = {"cookiecutter": answers, "dev": name == "requirements-dev.txt"}
            text = "".join(block for pattern, block in blocks.items() if re.search(pattern, title))
            found.append(Lock(title, variables, COMMENT + text))
    return found


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where locks are written instead of into the template."""
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(lock, "TEMPLATE", tmp_path)
    monkeypatch.setattr(lock, "lock_of_tools", lambda *_: TOOLS)
    return tmp_path


WHERE = {
    "": "true",
    "^new-": "new",
    "^existing-": "not new",
    "-dev.txt$": "dev",
    "-postgres-.*-(none|auto)/": "psycopg",
    "-postgres-.*-sqlalchemy/": "psycopg2",
    "-mysql-.*-(none|auto|sqlalchemy)/": "mysqlclient",
    "-gunicorn-": "gunicorn",
    "-uwsgi-": "uwsgi",
    "-s3-(none|auto|sqlalchemy)/": "s3",
    "-azure-(none|auto|sqlalchemy)/": "azure",
    "-(s3|azure)-(none|auto|sqlalchemy)/": "s3 or azure",
    "-s3-.*-dev.txt$": "dev and s3",
    "-azure-(none|auto|sqlalchemy)/|-s3-.*-dev.txt$": "azure or dev and s3",
    "^new-|-azure-(none|auto|sqlalchemy)/": "new or azure",
    "^existing-postgres-.*-(s3|local)-auto/": "psycopg and not new and not azure",
}


@pytest.mark.parametrize(("pattern", "condition"), WHERE.items(), ids=WHERE)
def test_package_gets_the_condition_that_is_true_where_it_is(pattern: str, condition: str) -> None:
    template = lock.template_of(locks({pattern: PACKAGE}))

    wrapped = f"{{% if {condition} %}}\n{PACKAGE}{{% endif %}}\n"
    assert template == FLAGS + COMMENT + (PACKAGE if condition == "true" else wrapped)


def test_each_condition_is_tested_and_needed() -> None:
    template = (TEMPLATE / "templates" / "lock.txt").read_text()

    assert list(WHERE.values()) == CONDITIONS
    assert {"true", *re.findall("{% if (.+) %}", template)} == set(CONDITIONS)


def test_neighbours_share_a_condition() -> None:
    other = PACKAGE.replace("package", "other-package")

    template = lock.template_of(locks({"-gunicorn-": other + PACKAGE}))

    assert template.count("{% if ") == 1


@pytest.mark.parametrize(
    ("blocks", "says"),
    [
        (
            {"new-mysql-uwsgi-s3": PACKAGE},
            "exactly where 'package==1.0' is: add it to CONDITIONS. It is in "
            "new-mysql-uwsgi-s3-auto/requirements.txt, "
            "new-mysql-uwsgi-s3-auto/requirements-dev.txt.",
        ),
        (
            {"-postgres-": PACKAGE, "-mysql-": PACKAGE.replace("1.0", "1.1")},
            "package is 1.0 in new-postgres-gunicorn-s3-auto/requirements.txt, "
            "but 1.1 in new-mysql-gunicorn-s3-auto/requirements.txt.",
        ),
        (
            {"": PACKAGE + PACKAGE.replace("package", "a-package")},
            "does not render new-postgres-gunicorn-s3-auto/requirements.txt as uv wrote it",
        ),
    ],
    ids=["no condition", "two versions", "other order"],
)
def test_what_does_not_fit_is_told_and_nothing_is_written(
    blocks: dict[str, str], says: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "locks_of_bakes", lambda *_: locks(blocks))

    with pytest.raises(SystemExit, match=re.escape(says)):
        lock.main([])

    assert [path for path in target.rglob("*") if path.is_file()] == []


def test_locks_that_fit_are_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "locks_of_bakes", lambda *_: locks({"": PACKAGE}))

    lock.main([])

    written = {path.name: path.read_text() for path in target.rglob("*.txt*")}
    cruft = "{% set requirements = ['cruft==1', 'click==2', 'cookiecutter==3', 'typer==4'] %}\n"
    assert written.pop("cruft.txt").endswith(f"#}}\n{cruft}")
    assert written == {"lock.txt": FLAGS + COMMENT + PACKAGE, "requirements-dev.txt": TOOLS}


def test_command_that_fails_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="failed for new-postgres-gunicorn-s3-auto, so no lock is"):
        lock.main(["--no-such-option"])

    assert "unexpected argument '--no-such-option'" in capfd.readouterr().err


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_versions_and_hashes_alone(name: str) -> None:
    kinds = (
        r"\{% .+ %\}",
        r"#    make lock|# This file was autogenerated by uv via the following command:",
        r"#    uv pip compile requirements-divio\.in --universal --python-version 3\.11 "
        r"--generate-hashes --no-annotate --output-file requirements-divio\.txt",
        r"[\w-]+==[\w.]+( ; [^/:]+)? \\",
        r"    --hash=sha256:[0-9a-f]{64}( \\)?",
    )
    lines = (TEMPLATE / name).read_text().splitlines()

    assert [line for line in lines if not any(re.fullmatch(kind, line) for kind in kinds)] == []


def test_lock_of_the_tools_meets_what_is_declared() -> None:
    settings = tomllib.loads((TEMPLATE / "pyproject.toml").read_text())

    found = unmet(settings["dependency-groups"]["dev"], (TEMPLATE / LOCKS[1]).read_text())
    assert not found, f"requirements-dev.txt needs `make lock`: {found}"


@pytest.mark.parametrize("name", LOCKS)
def test_package_has_one_version_in_all_combinations(name: str) -> None:
    found = defaultdict(set)
    for package, version in LOCKED.findall((TEMPLATE / name).read_text()):
        found[package].add(version)

    several = {package: kinds for package, kinds in found.items() if len(kinds) > 1}
    assert not several, f"{name} needs `make lock`, it has several versions: {several}"


def test_owners_install_the_cruft_of_the_tests() -> None:
    written = lock.cruft_of((TEMPLATE / LOCKS[1]).read_text())

    assert (TEMPLATE / "templates" / "cruft.txt").read_text() == written, "run `make lock`"


def test_cooldown_chooses_versions_and_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2025-06-01")
    (tmp_path / "one.in").write_text("flask\n")
    lock.compile_lock(tmp_path, "one.in", "one.txt", [])
    assert versions((tmp_path / "one.txt").read_text())["flask"] == "3.1.1"

    monkeypatch.setenv("UV_EXCLUDE_NEWER", "7 days")
    new, *_, existing = what_differs()
    monkeypatch.setattr(lock, "what_differs", lambda: [new, existing])
    for written in lock.locks_of_bakes(tmp_path, ["--upgrade"]):
        assert not re.search("exclude|newer|days", written.text, re.IGNORECASE), written.name
