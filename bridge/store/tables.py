"""The tables, the same on SQLite and PostgreSQL.

Ids that come from callers (``bulks.id``, ``messages.id``) are unique within an account; rows refer to each other by
their own keys.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from bridge.store.columns import Instant, Key

metadata = MetaData()

bulks = Table(
    "bulks",
    metadata,
    Column("key", Key, primary_key=True),
    Column("account", String, nullable=False),
    Column("id", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("held", String),
    UniqueConstraint("account", "id", name="bulks_account_id"),
)

contents = Table(
    "contents",
    metadata,
    Column("key", Key, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("notify_server", String),
)

messages = Table(
    "messages",
    metadata,
    Column("key", Key, primary_key=True),
    Column("bulk_key", Key, ForeignKey("bulks.key"), nullable=False),
    Column("content_key", Key, ForeignKey("contents.key"), nullable=False),
    Column("account", String, nullable=False),
    Column("id", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("sender", String),
    Column("send_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("trunk", String),
    Column("state", String, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("status_id", Integer, nullable=False),
    Column("error_id", Integer, nullable=False),
    Column("done_at", Instant),
    UniqueConstraint("account", "id", name="messages_account_id"),
)
Index("messages_of_bulk", messages.c.bulk_key, messages.c.state)
Index(
    "messages_due",
    messages.c.trunk,
    messages.c.due_at,
    sqlite_where=text("state = 'queued'"),
    postgresql_where=text("state = 'queued'"),
)
Index(
    "messages_expiring",
    messages.c.expires_at,
    sqlite_where=text("done_at IS NULL"),
    postgresql_where=text("done_at IS NULL"),
)
Index(
    "messages_done",
    messages.c.done_at,
    sqlite_where=text("done_at IS NOT NULL"),
    postgresql_where=text("done_at IS NOT NULL"),
)
Index("messages_of_content", messages.c.content_key)
# What logs are filtered by stands in the index, so that rows which do not fit are not fetched.
Index(
    "messages_sent",
    messages.c.account,
    messages.c.sent_at,
    messages.c.status_id,
    messages.c.sender,
    messages.c.recipient,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String, primary_key=True),
    Column("message_key", Key, ForeignKey("messages.key"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("node", String, nullable=False),
    Column("place", String, nullable=False, server_default=""),
    Column("asterisk", String, nullable=False, server_default=""),
    Column("trunk", String, nullable=False),
    Column("sent_to", String),
    Column("sent_from", String),
    Column("refused", JSON, nullable=False, server_default="[]"),
    Column("queued_at", Instant, nullable=False),
    Column("dialled_at", Instant, nullable=False),
    Column("ends_by", Instant, nullable=False, server_default="0"),
    Column("happened", JSON(none_as_null=True)),
    Column("ringing_at", Instant),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("cause", Integer),
    Column("sip_status", Integer),
    Column("hung_up_by", String),
    Column("answered_by", String),
    Column("answered_by_reason", String),
    Column("status_id", Integer),
    Column("error_id", Integer),
    Column("spoken", JSON, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("collected", JSON, nullable=False, server_default="[]"),
    Column("transfers", JSON, nullable=False, server_default="[]"),
    Column("limit_reached", String),
    UniqueConstraint("message_key", "number", name="attempts_message_number"),
)
Index(
    "attempts_open",
    attempts.c.node,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

Index(
    "attempts_of_trunk",
    attempts.c.trunk,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

trunks = Table(
    "trunks",
    metadata,
    Column("name", String, primary_key=True),
    Column("next_turn_at", Instant, nullable=False),
    Column("taken_by", String),
)

nodes = Table(
    "nodes",
    metadata,
    Column("name", String, primary_key=True),
    Column("instance", String, nullable=False),
    Column("place", String, nullable=False, server_default=""),
    Column("leased_until", Instant, nullable=False),
)

# One row: the routes by which messages were given their trunks.
routes = Table("routes", metadata, Column("pairs", JSON, nullable=False))

reports = Table(
    "reports",
    metadata,
    Column("key", Key, primary_key=True),
    Column("message_key", Key, ForeignKey("messages.key"), nullable=False, unique=True),
    Column("account", String, nullable=False),
    Column("taken_at", Instant),
)
Index(
    "reports_waiting",
    reports.c.account,
    reports.c.key,
    sqlite_where=text("taken_at IS NULL"),
    postgresql_where=text("taken_at IS NULL"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("key", Key, primary_key=True),
    Column("message_key", Key, ForeignKey("messages.key"), nullable=False, unique=True),
    Column("server", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("problem", String),
)
Index(
    "outbox_waiting",
    outbox.c.server,
    outbox.c.due_at,
    sqlite_where=text("done_at IS NULL"),
    postgresql_where=text("done_at IS NULL"),
)

scenarios = Table(
    "scenarios",
    metadata,
    Column("key", Key, primary_key=True),
    Column("account", String, nullable=False),
    Column("id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("description", String),
    Column("label", String),
    Column("notify_url", String),
    Column("notify_content_type", String),
    Column("record", Boolean, nullable=False),
    Column("script", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    UniqueConstraint("account", "id", name="scenarios_account_id"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("message_key", Key, ForeignKey("messages.key"), nullable=False),
    Column("attempt_id", String, ForeignKey("attempts.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("pointer", String),
    Column("recorded_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("seconds", Float),
    Column("size", BigInteger),
    Column("node", String),
)
Index("recordings_of_account", recordings.c.account, recordings.c.recorded_at)
Index("recordings_of_message", recordings.c.message_key)
Index("recordings_of_attempt", recordings.c.attempt_id)
Index("recordings_by_age", recordings.c.recorded_at)
Index("recordings_at_node", recordings.c.node, recordings.c.id)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("name", String, nullable=False),
    Column("format", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
)
Index("uploads_of_account", uploads.c.account, uploads.c.created_at)
Index("uploads_by_use", uploads.c.used_at)

credentials = Table(
    "credentials",
    metadata,
    Column("key", Key, primary_key=True),
    Column("account", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
Index(
    "credentials_user",
    credentials.c.name,
    unique=True,
    sqlite_where=text("kind = 'user' AND revoked_at IS NULL"),
    postgresql_where=text("kind = 'user' AND revoked_at IS NULL"),
)
