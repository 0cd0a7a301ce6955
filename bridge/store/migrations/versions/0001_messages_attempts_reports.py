"""Messages, attempts and reports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
WAITING = sa.text("state = 'queued'")
OPEN = sa.text("ended_at IS NULL")
NOT_TAKEN = sa.text("taken_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "bulks",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("account", "id", name="bulks_account_id"),
    )
    op.create_table(
        "contents",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_table(
        "messages",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("bulk_key", KEY, sa.ForeignKey("bulks.key"), nullable=False),
        sa.Column("content_key", KEY, sa.ForeignKey("contents.key"), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("sender", sa.String()),
        sa.Column("send_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status_id", sa.Integer(), nullable=False),
        sa.Column("error_id", sa.Integer(), nullable=False),
        sa.Column("done_at", INSTANT),
        sa.UniqueConstraint("account", "id", name="messages_account_id"),
    )
    op.create_index("messages_of_bulk", "messages", ["bulk_key", "state"])
    op.create_index("messages_due", "messages", ["due_at"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index("messages_expiring", "messages", ["expires_at"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("message_key", KEY, sa.ForeignKey("messages.key"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("trunk", sa.String(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("dialled_at", INSTANT, nullable=False),
        sa.Column("ringing_at", INSTANT),
        sa.Column("answered_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("cause", sa.Integer()),
        sa.Column("sip_status", sa.Integer()),
        sa.Column("hung_up_by", sa.String()),
        sa.Column("answered_by", sa.String()),
        sa.Column("answered_by_reason", sa.String()),
        sa.Column("status_id", sa.Integer()),
        sa.Column("error_id", sa.Integer()),
        sa.Column("spoken", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.UniqueConstraint("message_key", "number", name="attempts_message_number"),
    )
    op.create_index("attempts_open", "attempts", ["node"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "reports",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("message_key", KEY, sa.ForeignKey("messages.key"), nullable=False, unique=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("taken_at", INSTANT),
    )
    op.create_index(
        "reports_waiting", "reports", ["account", "key"], sqlite_where=NOT_TAKEN, postgresql_where=NOT_TAKEN
    )


def downgrade() -> None:
    for table in ("reports", "attempts", "messages", "contents", "bulks"):
        op.drop_table(table)
