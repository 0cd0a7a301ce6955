"""Routing: which trunk each waiting message is for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, null, select, update

from bridge.messages.progress import WAITING
from bridge.messages.routes import Routes
from bridge.messages.statuses import REJECTED_NOT_REACHABLE, SERVICE_UNAVAILABLE
from bridge.store.endings import close
from bridge.store.tables import messages, routes

_PORTION = 20_000
_OPEN = select(messages.c.key).where(messages.c.done_at.is_(None))
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


def keys_to_reroute(connection: Connection, numbers: Routes) -> range:
    """The first key of each portion in which there may be messages that have to change their trunk.

    Empty when the routes are those last used, and nothing waits for a trunk that they do not have: nodes that had other
    routes until now may have taken such messages in.
    """
    names = {trunk for _, trunk in numbers.pairs}
    is_last_used = connection.execute(select(routes.c.pairs)).scalar_one() == _stored(numbers)
    if is_last_used and connection.execute(_OPEN.where(messages.c.trunk.not_in(names)).limit(1)).first() is None:
        return range(0)
    first, last = connection.execute(_OPEN.with_only_columns(func.min(messages.c.key), func.max(messages.c.key))).one()
    return range(first, last + 1, _PORTION) if first is not None else range(0)


def reroute(connection: Connection, numbers: Routes, first_key: int, now: datetime) -> int:
    """Give the messages of one portion that are not done their trunks anew; return how many changed.

    Those that no trunk leads to any more are rejected. Portions are small, since calls wait while one is changed.
    """
    first = case(*((messages.c.recipient.startswith(prefix), trunk) for prefix, trunk in numbers.pairs), else_=null())
    portion = messages.c.key.between(first_key, first_key + _PORTION - 1)
    astray = update(messages).where(portion, messages.c.done_at.is_(None), messages.c.trunk.is_distinct_from(first))
    moved = connection.execute(astray.values(trunk=first)).rowcount
    reject_unreachable(connection, now, portion)
    return moved


def keep(connection: Connection, numbers: Routes) -> None:
    """Note that these are the routes last used."""
    connection.execute(update(routes).values(pairs=_stored(numbers)))


def _stored(numbers: Routes) -> list[list[str]]:
    return [list(pair) for pair in numbers.pairs]
