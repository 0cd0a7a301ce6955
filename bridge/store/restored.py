"""A database that was restored from a backup, before anything is dialled from it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, select

from bridge.store.endings import close
from bridge.store.tables import attempts, messages

_IS_CALLED = exists().where(attempts.c.message_key == messages.c.key, attempts.c.ended_at.is_(None))
_NOT_DONE = select(messages.c.key).where(messages.c.done_at.is_(None), ~_IS_CALLED).limit(bindparam("limit"))


def end_all(connection: Connection, *, status_id: int, error_id: int, now: datetime, limit: int) -> int:
    """End messages that are not done and have no open attempt, whatever they wait for; return how many."""
    keys = connection.execute(_NOT_DONE, {"limit": limit}).scalars().all()
    close(connection, keys, status_id=status_id, error_id=error_id, done_at=now)
    return len(keys)
