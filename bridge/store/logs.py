"""Logs: the messages that were sent in a time, with their latest attempts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func

from bridge.messages.attempt import Attempt
from bridge.messages.progress import Progress
from bridge.store.attempts import last_attempts
from bridge.store.rows import progress_of, select_progress
from bridge.store.tables import bulks, messages


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which messages are wanted: those sent from ``since`` on and before ``until``; None and empty mean all."""

    since: datetime
    until: datetime
    sender: str | None = None
    to: str | None = None
    bulk_ids: Collection[str] = ()
    message_ids: Collection[str] = ()
    status_ids: Collection[int] = ()


def sent(connection: Connection, account: str, wanted: LogFilter, limit: int) -> list[tuple[Progress, Attempt | None]]:
    """Messages with their latest attempts, those sent last first."""
    sent_at: ColumnElement[datetime] = messages.c.sent_at
    owner = messages.c.account
    if wanted.bulk_ids or wanted.message_ids:
        # Few rows are found by their ids; without this SQLite would rather walk through all of the account's.
        sent_at = func.coalesce(messages.c.sent_at, messages.c.send_at)
    if wanted.bulk_ids and not wanted.message_ids:
        owner = bulks.c.account
    statement = select_progress().where(owner == account, sent_at >= wanted.since, sent_at < wanted.until)
    for column, values in (
        (bulks.c.id, wanted.bulk_ids),
        (messages.c.id, wanted.message_ids),
        (messages.c.status_id, wanted.status_ids),
    ):
        if values:
            statement = statement.where(column.in_(values))
    for column, value in ((messages.c.sender, wanted.sender), (messages.c.recipient, wanted.to)):
        if value is not None:
            statement = statement.where(column == value)
    newest_first = statement.order_by(sent_at.desc(), messages.c.key.desc()).limit(limit)
    rows = connection.execute(newest_first).mappings().all()
    last = last_attempts(connection, [row["key"] for row in rows])
    return [(progress_of(row), last.get(row["key"])) for row in rows]
