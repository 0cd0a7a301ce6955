"""Recordings say which node has their file, and what is old is found by its age."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DONE = sa.text("done_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("recordings", sa.Column("node", sa.String()))
    op.execute("UPDATE recordings SET node = (SELECT node FROM attempts WHERE attempts.id = recordings.attempt_id)")
    op.create_index("recordings_at_node", "recordings", ["node", "id"])
    op.create_index("messages_done", "messages", ["done_at"], sqlite_where=DONE, postgresql_where=DONE)
    op.create_index("messages_of_content", "messages", ["content_key"])


def downgrade() -> None:
    op.drop_index("messages_of_content", "messages")
    op.drop_index("messages_done", "messages")
    op.drop_index("recordings_at_node", "recordings")
    op.drop_column("recordings", "node")
