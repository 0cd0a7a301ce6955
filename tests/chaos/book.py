"""Evidence from the database: messages, their attempts and their reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bridge.store.engine import for_reading, open_engine
from bridge.store.tables import attempts, messages, reports


@dataclass(frozen=True, slots=True)
class MessageRow:
    """``state`` is ``done`` for one that is over."""

    state: str
    status_id: int
    error_id: int
    attempts: int


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt; ``ended_at`` is None while it is open."""

    id: str
    number: int
    node: str
    dialled_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    status_id: int | None
    error_id: int | None


@dataclass(frozen=True, slots=True)
class Book:
    """Rows by the id of their message. ``taken`` says of each report whether it was handed out."""

    messages: dict[str, MessageRow]
    attempts: dict[str, list[AttemptRow]]
    taken: dict[str, list[bool]]


def read_book(url: str, ids: Collection[str]) -> Book:
    """All that is known of these messages, in one consistent look."""
    engine = for_reading(open_engine(url))
    m, a, r = messages.c, attempts.c, reports.c
    told, tried, taken = {}, defaultdict(list), defaultdict(list)
    with engine.connect() as connection:
        for id_, *row in connection.execute(select(m.id, m.state, m.status_id, m.error_id, m.attempts)):
            told[id_] = MessageRow(*row)
        found = select(
            m.id, a.id, a.number, a.node, a.dialled_at, a.answered_at, a.ended_at, a.status_id, a.error_id
        ).join_from(attempts, messages)
        for id_, *row in connection.execute(found.order_by(a.number)):
            tried[id_].append(AttemptRow(*row))
        for id_, taken_at in connection.execute(select(m.id, r.taken_at).join_from(reports, messages)):
            taken[id_].append(taken_at is not None)
    engine.dispose()
    return Book(
        messages={id_: told[id_] for id_ in ids if id_ in told},
        attempts={id_: tried[id_] for id_ in ids},
        taken={id_: taken[id_] for id_ in ids},
    )
