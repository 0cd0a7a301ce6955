"""Transfers, and scripts that were cut short."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("transfers", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("attempts", sa.Column("limit_reached", sa.String()))


def downgrade() -> None:
    op.drop_column("attempts", "limit_reached")
    op.drop_column("attempts", "transfers")
