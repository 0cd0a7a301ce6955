"""Removing messages that ended long ago."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Table, bindparam, delete, exists, func, select

from bridge.messages.recording import RecordingState
from bridge.store.tables import attempts, bulks, contents, messages, outbox, recordings, reports

_TURN = 0x766272  # any number, the same at every node

_KEEPS_RECORDING = exists().where(
    recordings.c.message_key == messages.c.key, recordings.c.state != RecordingState.DELETED
)
_OLD = (
    select(messages.c.key, messages.c.bulk_key, messages.c.content_key)
    .where(messages.c.done_at < bindparam("done_before"), ~_KEEPS_RECORDING)
    .order_by(messages.c.done_at)
    .limit(bindparam("limit"))
)
_KEYS: BindParameter[int] = bindparam("keys", expanding=True)
_FORGET = (
    *(delete(table).where(table.c.message_key.in_(_KEYS)) for table in (recordings, attempts, reports, outbox)),
    delete(messages).where(messages.c.key.in_(_KEYS)),
)


def _unused(table: Table, reference: Column[int]) -> ColumnElement[bool]:
    return ~exists().where(reference == table.c.key)


_FORGET_BULKS = delete(bulks).where(bulks.c.key.in_(_KEYS), _unused(bulks, messages.c.bulk_key))
_FORGET_CONTENTS = delete(contents).where(contents.c.key.in_(_KEYS), _unused(contents, messages.c.content_key))


def remove_messages(connection: Connection, done_before: datetime, limit: int) -> int:
    """Forget messages that ended before a moment, with all that belongs to them; return how many.

    Those with a recording that is not deleted stay. Returns 0 also while another node removes some.
    """
    if not _is_our_turn(connection):
        return 0
    old = connection.execute(_OLD, {"done_before": done_before, "limit": limit}).all()
    keys = [row.key for row in old]
    for statement in _FORGET:
        connection.execute(statement, {"keys": keys})
    connection.execute(_FORGET_BULKS, {"keys": list({row.bulk_key for row in old})})
    connection.execute(_FORGET_CONTENTS, {"keys": list({row.content_key for row in old})})
    return len(keys)


def _is_our_turn(connection: Connection) -> bool:
    """Whether this node may remove now; no other node may until the transaction is over."""
    if connection.dialect.name == "sqlite":
        return True
    ours: bool = connection.execute(select(func.pg_try_advisory_xact_lock(_TURN))).scalar_one()
    return ours
