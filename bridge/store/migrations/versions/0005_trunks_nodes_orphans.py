"""Several trunks, several nodes, and attempts that outlive the process that made them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'queued'")
_OPEN = sa.text("ended_at IS NULL")
# What was dialled before is settled at once: nobody is told when it would have been over.
_LONG_AGO = "0"


def upgrade() -> None:
    op.add_column("messages", sa.Column("trunk", sa.String()))
    op.drop_index("messages_due", "messages")
    op.create_index("messages_due", "messages", ["trunk", "due_at"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.add_column("attempts", sa.Column("asterisk", sa.String(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("refused", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("attempts", sa.Column("ends_by", sa.BigInteger(), nullable=False, server_default=_LONG_AGO))
    op.add_column("attempts", sa.Column("happened", sa.JSON()))
    op.create_index("attempts_of_trunk", "attempts", ["trunk"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "trunks",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("next_turn_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.String()),
    )
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("instance", sa.String(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
    )
    routes = op.create_table("routes", sa.Column("pairs", sa.JSON(), nullable=False))
    op.bulk_insert(routes, [{"pairs": []}])


def downgrade() -> None:
    for table in ("routes", "nodes", "trunks"):
        op.drop_table(table)
    op.drop_index("attempts_of_trunk", "attempts")
    for column in ("happened", "ends_by", "refused", "asterisk"):
        op.drop_column("attempts", column)
    op.drop_index("messages_due", "messages")
    op.create_index("messages_due", "messages", ["due_at"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.drop_column("messages", "trunk")
