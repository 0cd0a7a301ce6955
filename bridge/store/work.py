"""What the dialer takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.bulks import BulkStatus
from bridge.messages.message import Message
from bridge.messages.progress import State
from bridge.messages.statuses import (
    CANCELED,
    PENDING_ACCEPTED,
    PENDING_TIME_VIOLATION,
    UNDELIVERABLE_NOT_DELIVERED,
)
from bridge.messages.windows import is_open, next_opening
from bridge.store.endings import CAN_EXPIRE, close
from bridge.store.rows import MESSAGE_COLUMNS, attempt_of, attempt_values, message_of, select_attempts
from bridge.store.tables import attempts, bulks, contents, messages, recordings


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this node now calls, and the attempt that is committed for it."""

    key: int
    account: str
    bulk_id: str
    message: Message
    attempt: Attempt


# Statements stand here, and not where they run, because building one costs more than running it.

_DUE = (
    select(
        *MESSAGE_COLUMNS,
        messages.c.account,
        messages.c.attempts,
        messages.c.due_at,
        messages.c.bulk_key,
        messages.c.content_key,
        bulks.c.id.label("bulk_id"),
    )
    .join(bulks, bulks.c.key == messages.c.bulk_key)
    .join(contents, contents.c.key == messages.c.content_key)
    .where(
        messages.c.state == State.QUEUED,
        messages.c.due_at <= bindparam("now"),
        messages.c.expires_at > bindparam("now"),
    )
    .order_by(messages.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(of=messages, skip_locked=True)
)
_ADD_ATTEMPT = insert(attempts)
_DIAL = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(state=State.DIALLING, attempts=messages.c.attempts + 1, status_id=PENDING_ACCEPTED)
)
_PUT_OFF = (
    update(messages)
    .where(
        messages.c.bulk_key == bindparam("of_bulk"),
        messages.c.state == State.QUEUED,
        messages.c.content_key == bindparam("of_content"),
        messages.c.due_at <= bindparam("now"),
    )
    .values(due_at=bindparam("opening"), status_id=PENDING_TIME_VIOLATION)
)
_NEXT = (
    select(func.min(messages.c.due_at)).where(messages.c.state == State.QUEUED),
    select(func.min(messages.c.expires_at)).where(*CAN_EXPIRE),
)
_MOVE = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"), messages.c.state != State.DONE)
    .values(state=bindparam("new_state"))
)
_NOTE = {
    state: update(attempts)
    .where(attempts.c.id == bindparam("attempt_id"), attempts.c.ended_at.is_(None))
    .values({moment: bindparam("at")})
    for state, moment in ((State.RINGING, attempts.c.ringing_at), (State.IN_PROGRESS, attempts.c.answered_at))
}
_FORGET = (
    delete(recordings).where(recordings.c.attempt_id == bindparam("attempt_id")),
    delete(attempts).where(attempts.c.id == bindparam("attempt_id")),
)
_RELEASE = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(state=bindparam("new_state"), attempts=messages.c.attempts - 1)
)
_RECORD = update(attempts).where(attempts.c.id == bindparam("attempt_id"))
_WAIT_AGAIN = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(
        state=bindparam("new_state"),
        due_at=bindparam("new_due_at"),
        sent_at=bindparam("dialled_at"),
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
_OPEN = select_attempts().where(attempts.c.node == bindparam("node"), attempts.c.ended_at.is_(None))


def claim_due(connection: Connection, *, node: str, trunk: str, now: datetime, limit: int) -> list[Claim]:
    """Take the messages that are due, the longest waiting first, and commit an attempt for each.

    Those whose time window is closed are put off to its next opening instead.
    """
    claims = []
    closed = {}
    for row in connection.execute(_DUE, {"now": now, "limit": limit}).mappings().all():
        message = message_of(row)
        if not is_open(message.content.window, now):
            closed[row["bulk_key"], row["content_key"]] = next_opening(message.content.window, now)
            continue
        attempt = Attempt(
            id=f"vb-{uuid4().hex}",
            message_id=message.id,
            number=row["attempts"] + 1,
            node=node,
            trunk=trunk,
            sender=message.sender,
            to=message.to,
            queued_at=row["due_at"],
            dialled_at=now,
        )
        claims.append(Claim(row["key"], row["account"], row["bulk_id"], message, attempt))
    for (bulk_key, content_key), opening in closed.items():
        connection.execute(_PUT_OFF, {"of_bulk": bulk_key, "of_content": content_key, "now": now, "opening": opening})
    for claim in claims:
        values = {"id": claim.attempt.id, "message_key": claim.key, **attempt_values(claim.attempt)}
        connection.execute(_ADD_ATTEMPT, values)
        connection.execute(_DIAL, {"message_key": claim.key})
    return claims


def next_due(connection: Connection) -> datetime | None:
    """When the next waiting message is due or expires."""
    moments = [connection.execute(moment).scalar_one() for moment in _NEXT]
    return min((moment for moment in moments if moment is not None), default=None)


def move(connection: Connection, key: int, attempt_id: str, state: State, at: datetime) -> None:
    """Note how far a live call has come, and when."""
    connection.execute(_MOVE, {"message_key": key, "new_state": state})
    connection.execute(_NOTE[state], {"attempt_id": attempt_id, "at": at})


def release(connection: Connection, key: int, attempt_id: str, now: datetime) -> None:
    """Give a claim back, as if it had never been made: nothing of the attempt has reached Asterisk."""
    for statement in _FORGET:
        connection.execute(statement, {"attempt_id": attempt_id})
    held = _held(connection, key)
    connection.execute(_RELEASE, {"message_key": key, "new_state": _waiting(held)})
    if held is BulkStatus.CANCELED:
        close(connection, [key], status_id=UNDELIVERABLE_NOT_DELIVERED, error_id=CANCELED, done_at=now)


def call_again(connection: Connection, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> None:
    """Keep the outcome of an attempt, and put its message back in the queue until ``due_at``.

    When its bulk was canceled meanwhile, that outcome is the message's.
    """
    held = _held(connection, key)
    if held is BulkStatus.CANCELED:
        assert attempt.status_id is not None
        assert attempt.error_id is not None
        assert attempt.ended_at is not None
        finish(
            connection,
            key,
            attempt,
            status_id=attempt.status_id,
            error_id=attempt.error_id,
            done_at=attempt.ended_at,
        )
        return
    _record(connection, attempt)
    connection.execute(
        _WAIT_AGAIN,
        {
            "message_key": key,
            "new_state": _waiting(held),
            "new_due_at": due_at,
            "dialled_at": attempt.dialled_at,
            "new_status": status_id,
        },
    )


def finish(
    connection: Connection,
    key: int,
    attempt: Attempt,
    *,
    status_id: int,
    error_id: int,
    done_at: datetime,
) -> None:
    """Keep the outcome of the last attempt, and with it the message's final status and its one report."""
    _record(connection, attempt)
    close(
        connection,
        [key],
        status_id=status_id,
        error_id=error_id,
        done_at=done_at,
        dialled_at=attempt.dialled_at,
    )


def open_attempts(connection: Connection, node: str) -> list[tuple[int, Attempt]]:
    """The attempts that this node began and whose end it has not recorded, with their messages' keys."""
    rows = connection.execute(_OPEN, {"node": node}).mappings()
    return [(row["message_key"], attempt_of(row)) for row in rows]


def _record(connection: Connection, attempt: Attempt) -> None:
    connection.execute(_RECORD, {"attempt_id": attempt.id, **attempt_values(attempt)})


def _held(connection: Connection, key: int) -> BulkStatus | None:
    held = connection.execute(_HELD, {"message_key": key}).scalar_one()
    return None if held is None else BulkStatus(held)


def _waiting(held: BulkStatus | None) -> State:
    return State.PAUSED if held is BulkStatus.PAUSED else State.QUEUED
