"""What the front desk asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.progress import Progress, Report, State
from bridge.store.recordings import of_attempts
from bridge.store.rows import attempt_of, progress_of, select_attempts, select_progress
from bridge.store.tables import attempts, bulks, messages, reports


def sign_of_life(connection: Connection) -> None:
    """Have the database answer."""
    connection.execute(select(1))


def progress(connection: Connection, account: str, message_id: str) -> Progress | None:
    """One message as it stands now, or None when the account has no such message."""
    row = (
        connection.execute(select_progress().where(messages.c.account == account, messages.c.id == message_id))
        .mappings()
        .first()
    )
    return None if row is None else progress_of(row)


def only_message_of(connection: Connection, account: str, bulk_id: str) -> str | None:
    """The id of a bulk's message when it has just one; None otherwise, and for an unknown bulk."""
    ids = connection.execute(
        select(messages.c.id)
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .where(bulks.c.account == account, bulks.c.id == bulk_id)
        .limit(2)
    ).scalars()
    found = list(ids)
    return found[0] if len(found) == 1 else None


def bulk_counts(connection: Connection, account: str, bulk_id: str) -> dict[State, int] | None:
    """How many messages of a bulk are in each state, or None when the account has no such bulk."""
    rows = connection.execute(
        select(messages.c.state, func.count())
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .where(bulks.c.account == account, bulks.c.id == bulk_id)
        .group_by(messages.c.state)
    ).all()
    return {State(state): count for state, count in rows} or None


def attempts_of(connection: Connection, account: str, message_id: str) -> list[Attempt]:
    """The attempts of a message, the first one first."""
    rows = connection.execute(
        select_attempts().where(messages.c.account == account, messages.c.id == message_id).order_by(attempts.c.number)
    ).mappings()
    return _with_recordings(connection, [attempt_of(row) for row in rows])


def take_reports(
    connection: Connection,
    account: str,
    *,
    bulk_id: str | None,
    message_id: str | None,
    limit: int,
    now: datetime,
) -> list[Report]:
    """Hand out reports that nobody has taken yet, the oldest first; they are never handed out again."""
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


def last_attempts(connection: Connection, message_keys: list[int]) -> dict[int, Attempt]:
    """The latest attempt of each message that has one."""
    rows = connection.execute(
        select_attempts().where(attempts.c.message_key.in_(message_keys)).order_by(attempts.c.number)
    ).mappings()
    last = {row["message_key"]: attempt_of(row) for row in rows}
    return dict(zip(last, _with_recordings(connection, list(last.values())), strict=True))


def _with_recordings(connection: Connection, found: list[Attempt]) -> list[Attempt]:
    recorded = of_attempts(connection, [attempt.id for attempt in found])
    return [
        replace(attempt, recordings=recorded[attempt.id]) if attempt.id in recorded else attempt for attempt in found
    ]


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
