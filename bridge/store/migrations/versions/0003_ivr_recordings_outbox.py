"""IVR scenarios, uploads, recordings, and reports that are pushed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
NOT_DONE = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column("contents", sa.Column("notify_server", sa.String()))
    op.add_column("attempts", sa.Column("collected", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "outbox",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("message_key", KEY, sa.ForeignKey("messages.key"), nullable=False, unique=True),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT),
        sa.Column("problem", sa.String()),
    )
    op.create_index("outbox_waiting", "outbox", ["server", "due_at"], sqlite_where=NOT_DONE, postgresql_where=NOT_DONE)
    op.create_table(
        "scenarios",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("label", sa.String()),
        sa.Column("notify_url", sa.String()),
        sa.Column("notify_content_type", sa.String()),
        sa.Column("record", sa.Boolean(), nullable=False),
        sa.Column("script", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.UniqueConstraint("account", "id", name="scenarios_account_id"),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("message_key", KEY, sa.ForeignKey("messages.key"), nullable=False),
        sa.Column("attempt_id", sa.String(), sa.ForeignKey("attempts.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pointer", sa.String()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("size", sa.BigInteger()),
    )
    op.create_index("recordings_of_account", "recordings", ["account", "recorded_at"])
    op.create_index("recordings_of_message", "recordings", ["message_key"])
    op.create_index("recordings_of_attempt", "recordings", ["attempt_id"])
    op.create_index("recordings_by_age", "recordings", ["recorded_at"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
    )
    op.create_index("uploads_of_account", "uploads", ["account", "created_at"])
    op.create_index("uploads_by_use", "uploads", ["used_at"])


def downgrade() -> None:
    for table in ("uploads", "recordings", "scenarios", "outbox"):
        op.drop_table(table)
    op.drop_column("attempts", "collected")
    op.drop_column("contents", "notify_server")
