"""What an owner makes of a project, and does about the conflicts that updates bring."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.harness.updates import commit, conflicting, number

PACKAGE = "my_flask_app"


class Place(NamedTuple):
    """Where versions of the template have what an owner edits: once in a file."""

    path: str
    old: str
    new: str


class Conflict(NamedTuple):
    """A conflict that an owner meets in a file that both they and a release have changed.

    take: "ours" where they keep what they have, "theirs" where they take what the template has,
        and make their edits of this file again, where the release has what they edited
    says: the sentence about it in "To update:" of the release, in CHANGELOG.md
    """

    take: str
    says: str


# Those that no owner can avoid, by release and path.
CONFLICTS: dict[str, dict[str, Conflict]] = {}

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
# Each in the places of all versions that are updated from: the first one that a version has counts.
EDITS = {
    "a setting": [
        Place(
            f"{PACKAGE}/config.py",
            '        "SESSION_COOKIE_SAMESITE": "Lax",\n',
            '        "SESSION_COOKIE_SAMESITE": "Lax",\n'
            '        "GREETING": env.text("GREETING") or "Welcome",\n',
        )
    ],
    "the test of settings": [
        Place(
            "tests/test_config.py",
            '    "HSTS_SECONDS": 365 * 24 * 3600,\n',
            '    "HSTS_SECONDS": 365 * 24 * 3600,\n    "GREETING": "Welcome",\n',
        )
    ],
    "a default": [
        Place(
            f"{PACKAGE}/config.py",
            "default=100, least=1, most=500",
            "default=20, least=1, most=500",
        )
    ],
    "the test of defaults": [
        Place(
            "tests/test_config.py",
            '    "MAX_CONTENT_LENGTH": 100 * 2**20,\n',
            '    "MAX_CONTENT_LENGTH": 20 * 2**20,\n',
        )
    ],
    "a dependency": [
        Place("pyproject.toml", '    "flask>=', '    "humanize>=4.12",\n    "flask>=')
    ],
    "the local stack": [Place(".env-local", "STAGE=local\n", "STAGE=local\nGREETING=Hello\n")],
    "the image": [
        Place(
            "Dockerfile",
            "COPY --from=build /app /app\n",
            "COPY --from=build /app /app\nRUN install --directory --mode=1777 /data/exports\n",
        )
    ],
}
Edits = Mapping[str, list[Place]]


def edit(project: Path, edits: Edits = EDITS) -> None:
    """Grow the project as owners do: a feature, settings, the image, a dependency."""
    for name, text in NEW_FILES.items():
        (project / name).write_text(text)
    for name, places in edits.items():
        make(project, name, places)
    (project / ".editorconfig").unlink(missing_ok=True)


def make(project: Path, name: str, places: list[Place]) -> None:
    """Make an edit in the first of these places that the project has."""
    for path, old, new in places:
        file = project / path
        if file.exists() and (text := file.read_text()).count(old) == 1:
            file.write_text(text.replace(old, new))
            return
    tried = " nor ".join(f"{path} with one {old!r}" for path, old, _ in places)
    raise AssertionError(f"{project} has no place for {name}: neither {tried}")


def edited(project: Path, edits: Edits = EDITS) -> Path:
    edit(project, edits)
    commit(project)
    return project


def recorded_since(
    version: str, conflicts: Mapping[str, dict[str, Conflict]] = CONFLICTS
) -> dict[str, Conflict]:
    """Return the conflicts of an update from a version, which may be a commit before all."""
    recorded = {}
    for release in sorted(conflicts, key=number):
        if number(release) > number(version):
            recorded |= conflicts[release]
    return recorded


HUNK = re.compile(
    r"^<<<<<<< .*\n(?P<ours>(?s:.*?))^=======\n(?P<theirs>(?s:.*?))^>>>>>>> .*\n", re.MULTILINE
)


def settle(project: Path, conflicts: Mapping[str, Conflict], edits: Edits = EDITS) -> None:
    """Do what an owner does about these conflicts. Raises AssertionError if there are others."""
    found = conflicting(project)
    assert found == sorted(conflicts), f"{project} has conflicts in {found}: record or avoid them"
    for path, conflict in conflicts.items():
        text, hunks = HUNK.subn(rf"\g<{conflict.take}>", (project / path).read_text())
        assert hunks, f"{project / path} has no conflict that can be settled"
        (project / path).write_text(text)
    given_up = {path for path, conflict in conflicts.items() if conflict.take == "theirs"}
    for name, places in edits.items():
        if given_up & {place.path for place in places} and not is_made(project, places):
            make(project, name, places)


def is_made(project: Path, places: list[Place]) -> bool:
    files = [(project / path, new) for path, _, new in places]
    return any(file.exists() and new in file.read_text() for file, new in files)


def unsaid(changelog: str, conflicts: Mapping[str, dict[str, Conflict]] = CONFLICTS) -> list[str]:
    """Return the sentences that "To update:" of their release does not have."""
    missing = []
    for release, by_path in conflicts.items():
        section = changelog.partition(f"\n## {release}\n")[2].partition("\n## ")[0]
        told = " ".join(section.partition("\nTo update: ")[2].split())
        missing += [
            f"{release}: {conflict.says}"
            for conflict in by_path.values()
            if conflict.says not in told
        ]
    return missing
