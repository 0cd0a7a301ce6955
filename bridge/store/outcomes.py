"""Outcomes of attempts: one that has ended is not changed again, however often an end is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.bulks import BulkStatus
from bridge.messages.progress import State
from bridge.messages.statuses import CANCELED, UNDELIVERABLE_NOT_DELIVERED
from bridge.store.endings import close
from bridge.store.rows import outcome_values
from bridge.store.tables import attempts, bulks, messages, recordings
from bridge.store.wakeups import Topic, announce

# Statements stand here, and not where they run, because building one costs more than running it.

_THIS_WHILE_OPEN = (attempts.c.id == bindparam("attempt_id"), attempts.c.ended_at.is_(None))
_CHANGE = update(attempts).where(*_THIS_WHILE_OPEN)
_NOTE = {
    State.RINGING: _CHANGE.values(ringing_at=bindparam("at")),
    State.IN_PROGRESS: _CHANGE.values(answered_at=bindparam("at")),
}
_MOVE = update(messages).where(messages.c.key == bindparam("message_key")).values(state=bindparam("new_state"))
_IS_OPEN = select(attempts.c.id).where(*_THIS_WHILE_OPEN).with_for_update()
_FORGET = (
    delete(recordings).where(recordings.c.attempt_id == bindparam("attempt_id")),
    delete(attempts).where(attempts.c.id == bindparam("attempt_id")),
)
_RELEASE = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(state=bindparam("new_state"), attempts=messages.c.attempts - 1)
)
_WAIT_AGAIN = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(
        state=bindparam("new_state"),
        due_at=bindparam("new_due_at"),
        sent_at=bindparam("last_dialled"),
        status_id=bindparam("new_status"),
    )
)
# A bulk must not be paused or canceled while one of its messages is put back in the queue.
_HELD = (
    select(bulks.c.held)
    .join(messages, messages.c.bulk_key == bulks.c.key)
    .where(messages.c.key == bindparam("message_key"))
    .with_for_update(of=bulks, read=True)
)


def move(connection: Connection, key: int, attempt_id: str, state: State, at: datetime) -> None:
    """Note how far a live call has come, and when."""
    if connection.execute(_NOTE[state], {"attempt_id": attempt_id, "at": at}).rowcount:
        connection.execute(_MOVE, {"message_key": key, "new_state": state})


def note_happened(connection: Connection, attempt_id: str, happened: list[Any], ends_by: datetime) -> None:
    """Note all that the script of a live call was told so far, and by when the call must be over."""
    connection.execute(_CHANGE, {"attempt_id": attempt_id, "happened": happened, "ends_by": ends_by})


def release(connection: Connection, key: int, attempt_id: str, now: datetime) -> bool:
    """Give a claim back, as if it had never been made: nothing of the attempt has reached Asterisk."""
    this = {"attempt_id": attempt_id}
    if connection.execute(_IS_OPEN, this).first() is None:
        return False
    for statement in _FORGET:
        connection.execute(statement, this)
    held = _held(connection, key)
    connection.execute(_RELEASE, {"message_key": key, "new_state": _waiting(held)})
    if held is BulkStatus.CANCELED:
        close(connection, [key], status_id=UNDELIVERABLE_NOT_DELIVERED, error_id=CANCELED, done_at=now)
    announce(connection, Topic.DUE)
    return True


def retry(
    connection: Connection, key: int, attempt: Attempt, due_at: datetime, status_id: int, *, now: datetime
) -> bool:
    """Keep the outcome of an attempt, and put its message back in the queue until ``due_at``.

    When its bulk was canceled meanwhile, that outcome is the message's.
    """
    assert attempt.status_id is not None
    assert attempt.error_id is not None
    assert attempt.ended_at is not None
    if not _record(connection, attempt):
        return False
    held = _held(connection, key)
    if held is BulkStatus.CANCELED:
        close(
            connection,
            [key],
            status_id=attempt.status_id,
            error_id=attempt.error_id,
            done_at=attempt.ended_at,
            dialled_at=attempt.dialled_at,
        )
        return True
    connection.execute(
        _WAIT_AGAIN,
        {
            "message_key": key,
            "new_state": _waiting(held),
            "new_due_at": due_at,
            "last_dialled": attempt.dialled_at,
            "new_status": status_id,
        },
    )
    if due_at <= now:
        announce(connection, Topic.DUE)
    return True


def finish(
    connection: Connection,
    key: int,
    attempt: Attempt,
    *,
    status_id: int,
    error_id: int,
    done_at: datetime,
) -> bool:
    """Keep the outcome of the last attempt, and with it the message's final status and its one report."""
    assert attempt.ended_at is not None
    if not _record(connection, attempt):
        return False
    close(
        connection,
        [key],
        status_id=status_id,
        error_id=error_id,
        done_at=done_at,
        dialled_at=attempt.dialled_at,
    )
    return True


def _record(connection: Connection, attempt: Attempt) -> bool:
    return connection.execute(_CHANGE, {"attempt_id": attempt.id, **outcome_values(attempt)}).rowcount > 0


def _held(connection: Connection, key: int) -> BulkStatus | None:
    held = connection.execute(_HELD, {"message_key": key}).scalar_one()
    return None if held is None else BulkStatus(held)


def _waiting(held: BulkStatus | None) -> State:
    return State.PAUSED if held is BulkStatus.PAUSED else State.QUEUED
