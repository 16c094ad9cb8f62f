"""tools/lock.py makes one template of all locks, or says why it cannot and writes nothing."""

import re
from pathlib import Path

import pytest

from tests.harness.choices import TEMPLATE, label
from tools import lock
from tools.lock import CONDITIONS, FLAGS, Lock, what_differs

COMMENT = "# Written by uv.\n"
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
    monkeypatch.setattr(lock, "lock_of_tools", lambda *_: COMMENT)
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
    assert written == {"lock.txt": FLAGS + COMMENT + PACKAGE, "requirements-dev.txt": COMMENT}


def test_command_that_fails_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="failed for new-postgres-gunicorn-s3-auto, so no lock is"):
        lock.main(["--no-such-option"])

    assert "unexpected argument '--no-such-option'" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["templates/lock.txt", "requirements-dev.txt"])
def test_lock_has_versions_and_hashes_alone(name: str) -> None:
    kinds = (
        r"\{% .+ %\}",
        r"#    make lock|# This file was autogenerated by uv via the following command:",
        r"#    uv pip compile requirements-divio\.in [^/:]+",
        r"[\w-]+==[\w.]+( ; [^/:]+)? \\",
        r"    --hash=sha256:[0-9a-f]{64}( \\)?",
    )
    lines = (TEMPLATE / name).read_text().splitlines()

    assert [line for line in lines if not any(re.fullmatch(kind, line) for kind in kinds)] == []
