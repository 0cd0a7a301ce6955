"""What the dialer takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.message import Message
from bridge.messages.progress import State
from bridge.store.rows import MESSAGE_COLUMNS, attempt_of, attempt_values, message_of, select_attempts
from bridge.store.tables import attempts, bulks, contents, messages, reports


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
    .values(state=State.DIALLING, attempts=messages.c.attempts + 1)
)
_NEXT = [
    select(func.min(moment)).where(messages.c.state == State.QUEUED)
    for moment in (messages.c.due_at, messages.c.expires_at)
]
_MOVE = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"), messages.c.state != State.DONE)
    .values(state=bindparam("new_state"))
)
_FORGET = delete(attempts).where(attempts.c.id == bindparam("attempt_id"))
_RELEASE = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(state=State.QUEUED, attempts=messages.c.attempts - 1)
)
_RECORD = update(attempts).where(attempts.c.id == bindparam("attempt_id"))
_WAIT_AGAIN = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(state=State.QUEUED, due_at=bindparam("new_due_at"), status_id=bindparam("new_status"))
)
_OVERDUE = (
    select(messages.c.key)
    .where(messages.c.state == State.QUEUED, messages.c.expires_at <= bindparam("now"))
    .order_by(messages.c.expires_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_CLOSE = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(
        state=State.DONE,
        status_id=bindparam("final_status"),
        error_id=bindparam("final_error"),
        done_at=bindparam("end"),
    )
)
_ADD_REPORT = insert(reports).from_select(
    ["message_key", "account"],
    select(messages.c.key, messages.c.account).where(messages.c.key == bindparam("message_key")),
)
_OPEN = select_attempts().where(attempts.c.node == bindparam("node"), attempts.c.ended_at.is_(None))


def claim_due(connection: Connection, *, node: str, trunk: str, now: datetime, limit: int) -> list[Claim]:
    """Take the messages that are due, the longest waiting first, and commit an attempt for each."""
    claims = []
    for row in connection.execute(_DUE, {"now": now, "limit": limit}).mappings().all():
        message = message_of(row)
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
    for claim in claims:
        values = {"id": claim.attempt.id, "message_key": claim.key, **attempt_values(claim.attempt)}
        connection.execute(_ADD_ATTEMPT, values)
        connection.execute(_DIAL, {"message_key": claim.key})
    return claims


def next_due(connection: Connection) -> datetime | None:
    """When the next waiting message is due or expires."""
    moments = [connection.execute(moment).scalar_one() for moment in _NEXT]
    return min((moment for moment in moments if moment is not None), default=None)


def move(connection: Connection, key: int, state: State) -> None:
    """Note how far a live call has come."""
    connection.execute(_MOVE, {"message_key": key, "new_state": state})


def release(connection: Connection, key: int, attempt_id: str) -> None:
    """Give a claim back, as if it had never been made: nothing of the attempt has reached Asterisk."""
    connection.execute(_FORGET, {"attempt_id": attempt_id})
    connection.execute(_RELEASE, {"message_key": key})


def call_again(connection: Connection, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> None:
    """Keep the outcome of an attempt, and put its message back in the queue until ``due_at``."""
    _record(connection, attempt)
    connection.execute(_WAIT_AGAIN, {"message_key": key, "new_due_at": due_at, "new_status": status_id})


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
    _close(connection, key, status_id, error_id, done_at)


def expire(connection: Connection, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
    """End waiting messages whose validity is over; return how many."""
    keys = connection.execute(_OVERDUE, {"now": now, "limit": limit}).scalars().all()
    for key in keys:
        _close(connection, key, status_id, error_id, now)
    return len(keys)


def open_attempts(connection: Connection, node: str) -> list[tuple[int, Attempt]]:
    """The attempts that this node began and whose end it has not recorded, with their messages' keys."""
    rows = connection.execute(_OPEN, {"node": node}).mappings()
    return [(row["message_key"], attempt_of(row)) for row in rows]


def _record(connection: Connection, attempt: Attempt) -> None:
    connection.execute(_RECORD, {"attempt_id": attempt.id, **attempt_values(attempt)})


def _close(connection: Connection, key: int, status_id: int, error_id: int, done_at: datetime) -> None:
    connection.execute(_CLOSE, {"message_key": key, "final_status": status_id, "final_error": error_id, "end": done_at})
    connection.execute(_ADD_REPORT, {"message_key": key})
