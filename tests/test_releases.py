"""What each release has promised is kept: its projects can be updated, and its answers stay."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.baked import Baked
from tests.harness.choices import (
    CORES,
    PAIRED_CORES,
    TWO_CORES,
    Answers,
    label,
)
from tests.harness.processes import run
from tests.harness.updates import (
    LOCKS,
    PARTS,
    BakeVersion,
    baker,
    commit,
    differing,
    git,
    history,
    recipe,
    take_version,
    take_working_tree,
    update,
    versions_to_update_from,
)

VERSIONS = versions_to_update_from()
PACKAGE = "my_flask_app"

pytestmark = pytest.mark.sample(PAIRED_CORES)


def cores_of(version: str) -> list[Answers]:
    """Return those that a version has all values of."""
    values = json.loads(history("show", f"{version}:{PARTS[0]}"))
    return [core for core in CORES if all(core[name] in values[name] for name in core)]


PROJECTS = [(core, version) for version in VERSIONS for core in cores_of(version)]
all_projects = pytest.mark.parametrize(
    ("answers", "version"),
    PROJECTS or [(CORES[0], None)],
    ids=lambda value: label(value) if isinstance(value, dict) else str(value)[:7],
)


def needs_history(version: str | None) -> None:
    if version is None:
        message = "There is no older version to update from. Run 'git fetch --unshallow --tags'."
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)


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


@all_projects
def test_untouched_project_gets_exactly_what_changed(
    answers: Answers, version: str | None, make_project: BakeVersion, baked: BakeVersion
) -> None:
    needs_history(version)
    project = make_project(f"the-{version}", answers)
    locks = {name: (project / name).read_bytes() for name in LOCKS}

    update(project)

    assert differing(project, baked("now", **answers)) == []
    assert {name: (project / name).read_bytes() for name in LOCKS} == locks


@all_projects
def test_edits_survive(answers: Answers, version: str | None, make_project: BakeVersion) -> None:
    needs_history(version)
    project = edited(make_project(f"the-{version}", answers))

    update(project)

    assert differing(project, edited(make_project("now", answers))) == []


# In few cores, because it installs twice and runs the project's own gate: that takes a minute.
@pytest.mark.sample(TWO_CORES)
@all_projects
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
    now = make_project("now", answers)
    project = make_project(f"the-{version}", answers)
    edit(project)
    run("make", "--old-file=install", "lock", folder=project)
    commit(project)
    install(Baked(answers, project))
    check, merge, finish, *_ = recipe(now)

    run("bash", "-c", *check, fails=True, folder=project)
    shown = [run("bash", "-c", command, folder=project) for command in merge][-1]
    assert not re.search(r"^(UU|AA) |\.rej$", shown, re.MULTILINE), shown
    for command in finish:
        run("bash", "-c", command, folder=project)

    run("bash", "-c", *check, folder=project)
    assert git(project, "status", "--porcelain") == ""
    assert differing(project, edited(now)) == []
    for name in LOCKS:
        assert "\nhumanize==" in (project / name).read_text()


GUESTS = '''"""Guests, who are counted."""

from flask import Blueprint, current_app
from humanize import intcomma
from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base, db

blueprint = Blueprint("guests", __name__)


class Guest(Base):
    """A guest of a page."""

    __tablename__ = "guest"

    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(String(100))


@blueprint.get("/guests")
def index() -> str:
    db.session.add_all([Guest(page="guests") for _ in range(1000)])
    db.session.commit()
    guests = db.session.scalar(select(func.count(Guest.id))) or 0
    return f"{current_app.config['GREETING']}, guest {intcomma(guests)}"
'''
MIGRATION = '''"""Add guests."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "guest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guest"),
    )


def downgrade():
    op.drop_table("guest")
'''
TEST_OF_GUESTS = """from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy


def test_guests_are_counted(client: FlaskClient, database: SQLAlchemy) -> None:
    database.create_all()
    assert client.get("/guests").text == "Welcome, guest 1,000"
"""

NEW_FILES = {
    f"{PACKAGE}/guests.py": GUESTS,
    "migrations/versions/0001_add_guests.py": MIGRATION,
    "tests/test_guests.py": TEST_OF_GUESTS,
}
# In each file a line, of all versions, and what an owner makes of it.
EDITS = [
    (
        f"{PACKAGE}/config.py",
        '        "SESSION_COOKIE_SAMESITE": "Lax",\n',
        '        "SESSION_COOKIE_SAMESITE": "Lax",\n'
        '        "GREETING": env.text("GREETING") or "Welcome",\n',
    ),
    (f"{PACKAGE}/config.py", "default=100, least=1, most=500", "default=20, least=1, most=500"),
    ("tests/test_config.py", "    100 * 2**20,\n".lstrip(), "20 * 2**20,\n"),
    (
        "tests/test_config.py",
        '    "HSTS_SECONDS": 365 * 24 * 3600,\n',
        '    "HSTS_SECONDS": 365 * 24 * 3600,\n    "GREETING": "Welcome",\n',
    ),
    ("pyproject.toml", '    "flask>=', '    "humanize>=4.12",\n    "flask>='),
    (".env-local", "STAGE=local\n", "STAGE=local\nGREETING=Hello\n"),
    (
        "Dockerfile",
        "COPY --from=build /app /app\n",
        "COPY --from=build /app /app\nRUN install --directory --mode=1777 /data/exports\n",
    ),
]


def edit(project: Path) -> None:
    """Grow the project as owners do: a feature, settings, the image, a dependency."""
    for name, text in NEW_FILES.items():
        (project / name).write_text(text)
    for name, old, new in EDITS:
        text = (project / name).read_text()
        assert text.count(old) == 1, f"{name} has not one {old!r}"
        (project / name).write_text(text.replace(old, new))
    (project / ".editorconfig").unlink()


def edited(project: Path) -> Path:
    edit(project)
    commit(project)
    return project
