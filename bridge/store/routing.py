"""Which trunk each waiting message is for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, null, select, update

from bridge.messages.progress import WAITING
from bridge.messages.routes import Routes
from bridge.messages.statuses import REJECTED_NOT_REACHABLE, SERVICE_UNAVAILABLE
from bridge.store.endings import close
from bridge.store.tables import messages, routes

_UNREACHABLE = select(messages.c.key).where(
    messages.c.done_at.is_(None), messages.c.trunk.is_(None), messages.c.state.in_(WAITING)
)


def first_trunk(numbers: Routes, to: str) -> str | None:
    """The trunk that a message waits for; None when none leads to its number."""
    return next(iter(numbers.trunks(to)), None)


def reject_unreachable(connection: Connection, now: datetime, *only: ColumnElement[bool]) -> None:
    """End the waiting messages that no trunk leads to."""
    keys = connection.execute(_UNREACHABLE.where(*only).with_for_update()).scalars().all()
    close(connection, keys, status_id=REJECTED_NOT_REACHABLE, error_id=SERVICE_UNAVAILABLE, done_at=now)


def reroute(connection: Connection, numbers: Routes, now: datetime) -> int:
    """Give messages that are not done their trunks anew if the routes differ from those last used.

    Returns how many changed. Those that no trunk leads to any more are rejected.
    """
    pairs = [list(pair) for pair in numbers.pairs]
    if connection.execute(select(routes.c.pairs).with_for_update()).scalar_one() == pairs:
        return 0
    connection.execute(update(routes).values(pairs=pairs))
    first = case(*((messages.c.recipient.startswith(prefix), trunk) for prefix, trunk in numbers.pairs), else_=null())
    astray = update(messages).where(messages.c.done_at.is_(None), messages.c.trunk.is_distinct_from(first))
    moved = connection.execute(astray.values(trunk=first)).rowcount
    reject_unreachable(connection, now)
    return moved
