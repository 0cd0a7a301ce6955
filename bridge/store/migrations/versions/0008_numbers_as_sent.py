"""Attempts say which number and caller id their trunk was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("sent_to", "sent_from"):
        op.add_column("attempts", sa.Column(column, sa.String()))


def downgrade() -> None:
    for column in ("sent_from", "sent_to"):
        op.drop_column("attempts", column)
