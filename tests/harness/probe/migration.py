"""Make the table of the tests."""

import sqlalchemy as sa
from alembic import op

revision = "0123456789ab"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "probe",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(20), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("probe")
