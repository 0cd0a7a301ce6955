"""Credentials of accounts; what logs and bulks are asked by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger()
WAITING = sa.text("state = 'queued'")
NOT_DONE = sa.text("done_at IS NULL")
USERS_IN_FORCE = sa.text("kind = 'user' AND revoked_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "credentials",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
    )
    op.create_index(
        "credentials_user",
        "credentials",
        ["name"],
        unique=True,
        sqlite_where=USERS_IN_FORCE,
        postgresql_where=USERS_IN_FORCE,
    )
    op.add_column("bulks", sa.Column("held", sa.String()))
    op.add_column("messages", sa.Column("sent_at", INSTANT, nullable=False, server_default="0"))
    op.execute("UPDATE messages SET sent_at = send_at")
    op.create_index("messages_sent", "messages", ["account", "sent_at", "status_id", "sender", "recipient"])
    # A paused message expires like any other.
    op.drop_index("messages_expiring", "messages")
    op.create_index("messages_expiring", "messages", ["expires_at"], sqlite_where=NOT_DONE, postgresql_where=NOT_DONE)


def downgrade() -> None:
    # That version cannot pause: what was paused waits for the end of its validity, and nobody is called.
    op.execute("UPDATE messages SET state = 'queued', due_at = expires_at WHERE state = 'paused'")
    op.drop_index("messages_expiring", "messages")
    op.create_index("messages_expiring", "messages", ["expires_at"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.drop_index("messages_sent", "messages")
    op.drop_column("messages", "sent_at")
    op.drop_column("bulks", "held")
    op.drop_index("credentials_user", "credentials")
    op.drop_table("credentials")
