"""Pacing of trunks: the turns of each trunk, shared by all nodes.

Turns are stored in the time of the database's clock, and returned in that of the node which asks: nodes whose clocks
differ share them evenly. SQLite is on the node's own machine, and has no other time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, text, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bridge.store.columns import Instant
from bridge.store.tables import attempts, trunks

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


class _DatabaseTime(FunctionElement[datetime]):
    """What the clock of the database's server says; nothing where there is no server."""

    type = Instant()
    inherit_cache = True


@compiles(_DatabaseTime, "postgresql")
def _of_the_server(*_: object, **__: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"


@compiles(_DatabaseTime, "sqlite")
def _of_no_server(*_: object, **__: object) -> str:
    return "NULL"


def _timed(locked: Select[Any]) -> Select[Any]:
    """The locked row, with the time when the lock was had; a column of the row would be the time before the wait."""
    row = locked.subquery()
    return select(row, _DatabaseTime().label("database_time"))


_THIS = trunks.c.name == bindparam("trunk")
_TURN = select(trunks.c.next_turn_at, trunks.c.taken_by).where(_THIS)
_LOCK = _timed(_TURN.with_for_update())
_LOCK_IF_FREE = _timed(_TURN.with_for_update(skip_locked=True))
_ADD = text("INSERT INTO trunks (name, next_turn_at) VALUES (:trunk, 0) ON CONFLICT (name) DO NOTHING")
_TAKE = update(trunks).where(_THIS).values(next_turn_at=bindparam("next_turn"), taken_by=bindparam("node"))
CALLS = (
    select(func.count())
    .select_from(attempts)
    .where(attempts.c.trunk == bindparam("trunk"), attempts.c.ended_at.is_(None))
)
"""How many calls are under way on a trunk."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A trunk's next turn, and the node that took the one before.

    ``at`` is the turn, ``now`` when it was asked for, both in the time of the node, which the database's is ``ahead``
    of.
    """

    at: datetime
    now: datetime
    ahead: timedelta
    taken_by: str | None


def turn_if_free(connection: Connection, limit: TrunkLimit, clock: Callable[[], datetime]) -> Turn | None:
    """The trunk's next turn, for this transaction alone; None while another one takes turns.

    It does not wait: a node that holds the turns of one trunk and waits for another's could lock all of them up.
    ``clock`` is the node's.
    """
    turn = _turn(connection, _LOCK_IF_FREE, limit, clock)
    if turn is None:
        connection.execute(_ADD, {"trunk": limit.name})
        turn = _turn(connection, _LOCK_IF_FREE, limit, clock)
    return turn


def turn(connection: Connection, limit: TrunkLimit, clock: Callable[[], datetime]) -> Turn:
    """The trunk's next turn, for this transaction alone. ``clock`` is the node's."""
    connection.execute(_ADD, {"trunk": limit.name})
    turn = _turn(connection, _LOCK, limit, clock)
    assert turn is not None
    return turn


def take(connection: Connection, limit: TrunkLimit, turn: Turn, *, node: str, count: int) -> datetime:
    """Take ``count`` turns from ``turn`` on; return when the next one is, in the node's time."""
    following = turn.at + count * limit.interval
    connection.execute(_TAKE, {"trunk": limit.name, "next_turn": following + turn.ahead, "node": node})
    return following


def _turn(
    connection: Connection, statement: Select[Any], limit: TrunkLimit, clock: Callable[[], datetime]
) -> Turn | None:
    row = connection.execute(statement, {"trunk": limit.name}).first()
    if row is None:
        return None
    now = clock()
    database_time = row.database_time or now
    ahead = database_time - now
    return Turn(_reasonable(row.next_turn_at, limit, database_time) - ahead, now, ahead, row.taken_by)


def _reasonable(turn: datetime, limit: TrunkLimit, now: datetime) -> datetime:
    """The turn, not in the past, nor so late, by a clock that was wrong, that the trunk would be silent."""
    return min(max(turn, now), now + max(limit.interval, _MOST_WAIT_FOR_A_TURN))
