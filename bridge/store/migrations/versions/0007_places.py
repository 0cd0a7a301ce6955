"""Nodes and attempts say where they are: two machines of the same name are told apart."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("nodes", "attempts"):
        op.add_column(table, sa.Column("place", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("attempts", "nodes"):
        op.drop_column(table, "place")
