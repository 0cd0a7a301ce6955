"""What the dialer takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.message import Message
from bridge.messages.progress import State
from bridge.store.rows import MESSAGE_COLUMNS, attempt_of, attempt_values, message_of, select_attempts
from bridge.store.tables import attempts, contents, messages, reports


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this node now calls, and the attempt that is committed for it."""

    key: int
    account: str
    message: Message
    attempt: Attempt


def claim_due(connection: Connection, *, node: str, trunk: str, now: datetime, limit: int) -> list[Claim]:
    """Take the messages that are due, the longest waiting first, and commit an attempt for each."""
    rows = (
        connection.execute(
            select(*MESSAGE_COLUMNS, messages.c.account, messages.c.attempts, messages.c.due_at)
            .join(contents, contents.c.key == messages.c.content_key)
            .where(messages.c.state == State.QUEUED, messages.c.due_at <= now, messages.c.expires_at > now)
            .order_by(messages.c.due_at)
            .limit(limit)
            .with_for_update(of=messages, skip_locked=True)
        )
        .mappings()
        .all()
    )
    claims = []
    for row in rows:
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
        claims.append(Claim(row["key"], row["account"], message, attempt))
    if claims:
        connection.execute(
            insert(attempts),
            [{"id": c.attempt.id, "message_key": c.key, **attempt_values(c.attempt)} for c in claims],
        )
        connection.execute(
            update(messages)
            .where(messages.c.key.in_([c.key for c in claims]))
            .values(state=State.DIALLING, attempts=messages.c.attempts + 1)
        )
    return claims


def next_due(connection: Connection) -> datetime | None:
    """When the next waiting message is due or expires."""
    waiting = messages.c.state == State.QUEUED
    moments = [
        connection.execute(select(func.min(moment)).where(waiting)).scalar_one()
        for moment in (messages.c.due_at, messages.c.expires_at)
    ]
    return min((moment for moment in moments if moment is not None), default=None)


def move(connection: Connection, key: int, state: State) -> None:
    """Note how far a live call has come."""
    connection.execute(
        update(messages).where(messages.c.key == key, messages.c.state != State.DONE).values(state=state)
    )


def record_attempt(connection: Connection, attempt: Attempt) -> None:
    """Keep the outcome of an attempt."""
    connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(attempt_values(attempt)))


def call_again(connection: Connection, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> None:
    """Keep the outcome of an attempt, and put its message back in the queue until ``due_at``."""
    record_attempt(connection, attempt)
    connection.execute(
        update(messages)
        .where(messages.c.key == key)
        .values(state=State.QUEUED, due_at=due_at, status_id=status_id)
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
    record_attempt(connection, attempt)
    _close(connection, [key], status_id=status_id, error_id=error_id, done_at=done_at)


def expire(connection: Connection, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
    """End waiting messages whose validity is over; return how many."""
    keys = list(
        connection.execute(
            select(messages.c.key)
            .where(messages.c.state == State.QUEUED, messages.c.expires_at <= now)
            .order_by(messages.c.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).scalars()
    )
    _close(connection, keys, status_id=status_id, error_id=error_id, done_at=now)
    return len(keys)


def open_attempts(connection: Connection, node: str) -> list[tuple[int, Attempt]]:
    """The attempts that this node began and whose end it has not recorded, with their messages' keys."""
    rows = connection.execute(
        select_attempts().where(attempts.c.node == node, attempts.c.ended_at.is_(None))
    ).mappings()
    return [(row["message_key"], attempt_of(row)) for row in rows]


def _close(
    connection: Connection, keys: list[int], *, status_id: int, error_id: int, done_at: datetime
) -> None:
    if not keys:
        return
    connection.execute(
        update(messages)
        .where(messages.c.key.in_(keys))
        .values(state=State.DONE, status_id=status_id, error_id=error_id, done_at=done_at)
    )
    connection.execute(
        insert(reports).from_select(
            ["message_key", "account"],
            select(messages.c.key, messages.c.account).where(messages.c.key.in_(keys)),
        )
    )
