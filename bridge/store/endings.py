"""The end of messages: one final status and one report each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, exists, func, insert, select, update

from bridge.messages.progress import WAITING, State
from bridge.store import outbox
from bridge.store.columns import Instant
from bridge.store.tables import attempts, contents, messages, reports
from bridge.store.wakeups import Topic, announce

_AT_ONCE = 500

_OVERDUE = (
    select(messages.c.key)
    .where(messages.c.done_at.is_(None), messages.c.state.in_(WAITING), messages.c.expires_at <= bindparam("now"))
    .order_by(messages.c.expires_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_IS_CALLED = exists().where(attempts.c.message_key == messages.c.key, attempts.c.ended_at.is_(None))
_NOT_DONE = select(messages.c.key).where(messages.c.done_at.is_(None), ~_IS_CALLED).limit(bindparam("limit"))
_THESE = messages.c.key.in_(bindparam("message_keys", expanding=True))
_CLOSE = (
    update(messages)
    .where(_THESE)
    .values(
        state=State.DONE,
        status_id=bindparam("final_status"),
        error_id=bindparam("final_error"),
        done_at=bindparam("end"),
        sent_at=func.coalesce(bindparam("last_dialled", type_=Instant), messages.c.sent_at),
    )
)
# A report that is pushed is not handed out as well.
_ADD_REPORT = (
    insert(reports)
    .from_select(
        ["message_key", "account", "taken_at"],
        select(
            messages.c.key,
            messages.c.account,
            case((contents.c.notify_server.is_not(None), bindparam("end", type_=Instant))),
        )
        .join(contents, contents.c.key == messages.c.content_key)
        .where(_THESE)
        .order_by(messages.c.key),
    )
    .returning(reports.c.message_key, reports.c.taken_at)
)


def close(
    connection: Connection,
    keys: Sequence[int],
    *,
    status_id: int,
    error_id: int,
    done_at: datetime,
    dialled_at: datetime | None = None,
) -> None:
    """Give messages their final status and their reports; ``dialled_at`` is when an attempt that ends now began."""
    ending = {"final_status": status_id, "final_error": error_id, "end": done_at, "last_dialled": dialled_at}
    for first in range(0, len(keys), _AT_ONCE):
        these = keys[first : first + _AT_ONCE]
        connection.execute(_CLOSE, {"message_keys": these, **ending})
        added = connection.execute(_ADD_REPORT, {"message_keys": these, "end": done_at})
        if pushed := [report.message_key for report in added if report.taken_at is not None]:
            outbox.add(connection, pushed, done_at)
            announce(connection, Topic.PUSH)


def expire(connection: Connection, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
    """End waiting messages whose validity is over; return how many."""
    keys = connection.execute(_OVERDUE, {"now": now, "limit": limit}).scalars().all()
    close(connection, keys, status_id=status_id, error_id=error_id, done_at=now)
    return len(keys)


def end_all(connection: Connection, *, status_id: int, error_id: int, now: datetime, limit: int) -> int:
    """End messages that are not done and have no open attempt, whatever they wait for; return how many."""
    keys = connection.execute(_NOT_DONE, {"limit": limit}).scalars().all()
    close(connection, keys, status_id=status_id, error_id=error_id, done_at=now)
    return len(keys)
