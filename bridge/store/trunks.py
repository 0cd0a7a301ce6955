"""The pace of each trunk, one over all nodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, text, update

from bridge.store.tables import Instant, attempts, trunks

_MOST_WAIT_FOR_A_TURN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TrunkLimit:
    """How much a trunk takes from all nodes together: calls that start in a second, and calls at once."""

    name: str
    calls_per_second: float
    max_calls: int

    @property
    def interval(self) -> timedelta:
        """From one turn to the next."""
        return timedelta(seconds=1 / self.calls_per_second)


_THIS = trunks.c.name == bindparam("trunk")
_TURN = select(trunks.c.next_turn_at, trunks.c.taken_by).where(_THIS)
_LOCK = _TURN.with_for_update()
_LOCK_IF_FREE = _TURN.with_for_update(skip_locked=True)
_ADD = text("INSERT INTO trunks (name, next_turn_at) VALUES (:trunk, :now) ON CONFLICT (name) DO NOTHING").bindparams(
    bindparam("now", type_=Instant)
)
_TAKE = update(trunks).where(_THIS).values(next_turn_at=bindparam("next_turn"), taken_by=bindparam("node"))
CALLS = (
    select(func.count())
    .select_from(attempts)
    .where(attempts.c.trunk == bindparam("trunk"), attempts.c.ended_at.is_(None))
)
"""How many calls are under way on a trunk."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A trunk's next turn, and the node that took the one before."""

    at: datetime
    taken_by: str | None


def turn_if_free(connection: Connection, limit: TrunkLimit, now: datetime) -> Turn | None:
    """The trunk's next turn, for this transaction alone; None while another one takes turns.

    It does not wait: a node that holds the turns of one trunk and waits for another's could lock all of them up.
    """
    this = {"trunk": limit.name}
    row = connection.execute(_LOCK_IF_FREE, this).first()
    if row is None:
        connection.execute(_ADD, {**this, "now": now})
        row = connection.execute(_LOCK_IF_FREE, this).first()
    return None if row is None else Turn(_reasonable(row.next_turn_at, limit, now), row.taken_by)


def turn(connection: Connection, limit: TrunkLimit, now: datetime) -> datetime:
    """The trunk's next turn, for this transaction alone."""
    this = {"trunk": limit.name}
    connection.execute(_ADD, {**this, "now": now})
    return _reasonable(connection.execute(_LOCK, this).one().next_turn_at, limit, now)


def take(connection: Connection, limit: TrunkLimit, *, node: str, first: datetime, count: int) -> datetime:
    """Take ``count`` turns from ``first`` on; return the one that is next."""
    following = first + count * limit.interval
    connection.execute(_TAKE, {"trunk": limit.name, "next_turn": following, "node": node})
    return following


def _reasonable(turn: datetime, limit: TrunkLimit, now: datetime) -> datetime:
    """No turn from the past; and a node whose clock was wrong has not silenced the trunk for all."""
    return min(max(turn, now), now + max(limit.interval, _MOST_WAIT_FOR_A_TURN))
