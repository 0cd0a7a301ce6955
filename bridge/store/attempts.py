"""The attempts of messages, each with its recordings."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from bridge.messages.attempt import Attempt
from bridge.store.recordings import of_attempts
from bridge.store.rows import attempt_of, select_attempts
from bridge.store.tables import attempts, messages


def attempts_of(connection: Connection, account: str, message_id: str) -> list[Attempt]:
    """The attempts of a message, the first one first."""
    rows = connection.execute(
        select_attempts().where(messages.c.account == account, messages.c.id == message_id).order_by(attempts.c.number)
    ).mappings()
    return _with_recordings(connection, [attempt_of(row) for row in rows])


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
