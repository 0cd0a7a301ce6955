"""Delivery reports: each is told once, handed out on request or pushed from the outbox."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.progress import Progress, Report
from bridge.store.attempts import last_attempts
from bridge.store.database import Database
from bridge.store.rows import progress_of, select_progress
from bridge.store.tables import bulks, messages, reports


class Reports:
    """The reports of each account that are handed out on request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(
        self, account: str, *, bulk_id: str | None = None, message_id: str | None = None, limit: int = 50
    ) -> list[Report]:
        """Reports that were not handed out yet, the oldest first. Each is handed out once."""
        return await self._database.write(
            _take, account, bulk_id=bulk_id, message_id=message_id, limit=limit, now=datetime.now(UTC)
        )


def _take(
    connection: Connection,
    account: str,
    *,
    bulk_id: str | None,
    message_id: str | None,
    limit: int,
    now: datetime,
) -> list[Report]:
    waiting = (
        select(reports.c.key)
        .join(messages, messages.c.key == reports.c.message_key)
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .where(reports.c.account == account, reports.c.taken_at.is_(None))
        .order_by(reports.c.key)
        .limit(limit)
        .with_for_update(of=reports, skip_locked=True)
    )
    if bulk_id is not None:
        waiting = waiting.where(bulks.c.account == account, bulks.c.id == bulk_id)
    if message_id is not None:
        waiting = waiting.where(messages.c.account == account, messages.c.id == message_id)
    keys = list(connection.execute(waiting).scalars())
    connection.execute(update(reports).where(reports.c.key.in_(keys)).values(taken_at=now))
    taken = connection.execute(
        select(reports.c.message_key).where(reports.c.key.in_(keys)).order_by(reports.c.key)
    ).scalars()
    return list(reports_of(connection, list(taken)).values())


def reports_of(connection: Connection, message_keys: list[int]) -> dict[int, Report]:
    """The reports of finished messages, in the order given."""
    rows = connection.execute(select_progress().where(messages.c.key.in_(message_keys))).mappings()
    done = {row["key"]: progress_of(row) for row in rows}
    last = last_attempts(connection, message_keys)
    return {key: _report(done[key], last.get(key)) for key in message_keys}


def _report(done: Progress, attempt: Attempt | None) -> Report:
    assert done.done_at is not None, "a report is written together with the end of its message"
    return Report(
        bulk_id=done.bulk_id,
        message=done.message,
        status_id=done.status_id,
        error_id=done.error_id,
        sent_at=done.message.send_at if attempt is None else attempt.dialled_at,
        done_at=done.done_at,
        attempt=attempt,
    )
