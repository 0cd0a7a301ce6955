"""Bulks: how they stand, and pausing, resuming, canceling and rescheduling them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from sqlalchemy import BigInteger, Connection, Select, bindparam, case, exists, func, select, type_coerce, update

from bridge.base.errors import VoicebridgeError
from bridge.messages.bulks import BulkStatus, bulk_status
from bridge.messages.progress import WAITING, State
from bridge.messages.statuses import CANCELED, PENDING_ACCEPTED, UNDELIVERABLE_NOT_DELIVERED
from bridge.store.database import Database
from bridge.store.endings import close
from bridge.store.tables import bulks, messages
from bridge.store.wakeups import Topic, announce


class BulkOver(VoicebridgeError):
    """Nothing of the bulk waits any more, so nothing can be changed."""

    id: ClassVar[str] = "BULK_OVER"


@dataclass(frozen=True, slots=True)
class BulkStanding:
    """How a bulk stands now; ``send_at`` is the time of its first waiting message, or of the first if none waits."""

    status: BulkStatus
    send_at: datetime


class Bulks:
    """The bulks of each account.

    Methods return None for a bulk that the account does not have; those that change one raise BulkOver.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, account: str, bulk_id: str) -> BulkStanding | None:
        """How a bulk stands now."""
        return await self._database.read(_standing, account, bulk_id)

    async def counts(self, account: str, bulk_id: str) -> dict[State, int] | None:
        """How many messages of a bulk are in each state."""
        return await self._database.read(_counts, account, bulk_id)

    async def only_message(self, account: str, bulk_id: str) -> str | None:
        """The id of a bulk's message; None also when it has several."""
        return await self._database.read(_only_message, account, bulk_id)

    async def pause(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Have nothing more of a bulk dialled until it is resumed; its validity goes on."""
        return await self._database.write(_pause, account, bulk_id)

    async def resume(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Have a paused bulk dialled again."""
        return await self._database.write(_resume, account, bulk_id)

    async def cancel(self, account: str, bulk_id: str) -> BulkStanding | None:
        """End what waits of a bulk, and have what is under way hung up."""
        return await self._database.write(_cancel, account, bulk_id, datetime.now(UTC))

    async def reschedule(self, account: str, bulk_id: str, send_at: datetime) -> BulkStanding | None:
        """Have the first waiting call of a bulk made at ``send_at``; the others and all expiries move by as much."""
        return await self._database.write(_reschedule, account, bulk_id, send_at)


@dataclass(frozen=True, slots=True)
class _Bulk:
    key: int
    held: BulkStatus | None


_FIND = select(bulks.c.key, bulks.c.held).where(
    bulks.c.account == bindparam("account"), bulks.c.id == bindparam("bulk_id")
)
# The lock puts decisions about a bulk, and what becomes of its messages, one after the other.
_TO_CHANGE = _FIND.with_for_update(key_share=True)
_OF_BULK = messages.c.bulk_key == bindparam("of_bulk")
_WAITS = messages.c.state.in_(WAITING)
_OVER = select(~exists().where(_OF_BULK, messages.c.state != State.DONE))
_BEGUN = select(exists().where(_OF_BULK, ~_WAITS) | exists().where(_OF_BULK, messages.c.attempts > 0))
_FIRST = select(func.min(messages.c.send_at)).where(_OF_BULK)
_FIRST_WAITING = _FIRST.where(_WAITS)

_HOLD = update(bulks).where(bulks.c.key == bindparam("of_bulk")).values(held=bindparam("decision"))
_CHANGE_STATE = (
    update(messages).where(_OF_BULK, messages.c.state == bindparam("old_state")).values(state=bindparam("new_state"))
)
_WAITING_KEYS = select(messages.c.key).where(_OF_BULK, _WAITS).with_for_update()
_SHIFT_BY = bindparam("microseconds", type_=BigInteger)
_NEW_SEND_AT = type_coerce(messages.c.send_at, BigInteger) + _SHIFT_BY
_SHIFT = (
    update(messages)
    .where(_OF_BULK, _WAITS)
    .values(
        send_at=_NEW_SEND_AT,
        # A message whose window is closed then is put off when it is due.
        due_at=_NEW_SEND_AT,
        sent_at=case((messages.c.attempts == 0, _NEW_SEND_AT), else_=type_coerce(messages.c.sent_at, BigInteger)),
        expires_at=type_coerce(messages.c.expires_at, BigInteger) + _SHIFT_BY,
        status_id=PENDING_ACCEPTED,
    )
)


def _standing(connection: Connection, account: str, bulk_id: str) -> BulkStanding | None:
    bulk = _find(connection, _FIND, account, bulk_id)
    return None if bulk is None else _standing_of(connection, bulk)


def _counts(connection: Connection, account: str, bulk_id: str) -> dict[State, int] | None:
    rows = connection.execute(
        select(messages.c.state, func.count())
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .where(bulks.c.account == account, bulks.c.id == bulk_id)
        .group_by(messages.c.state)
    ).all()
    return {State(state): count for state, count in rows} or None


def _only_message(connection: Connection, account: str, bulk_id: str) -> str | None:
    ids = connection.execute(
        select(messages.c.id)
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .where(bulks.c.account == account, bulks.c.id == bulk_id)
        .limit(2)
    ).scalars()
    found = list(ids)
    return found[0] if len(found) == 1 else None


def _pause(connection: Connection, account: str, bulk_id: str) -> BulkStanding | None:
    return _change(connection, account, bulk_id, held=BulkStatus.PAUSED, old=State.QUEUED, new=State.PAUSED)


def _resume(connection: Connection, account: str, bulk_id: str) -> BulkStanding | None:
    changed = _change(connection, account, bulk_id, held=None, old=State.PAUSED, new=State.QUEUED)
    announce(connection, Topic.DUE)
    return changed


def _cancel(connection: Connection, account: str, bulk_id: str, now: datetime) -> BulkStanding | None:
    bulk = _find(connection, _TO_CHANGE, account, bulk_id)
    if bulk is None:
        return None
    _hold(connection, bulk, BulkStatus.CANCELED)
    waiting = connection.execute(_WAITING_KEYS, {"of_bulk": bulk.key}).scalars().all()
    close(connection, waiting, status_id=UNDELIVERABLE_NOT_DELIVERED, error_id=CANCELED, done_at=now)
    announce(connection, Topic.CANCELED)
    return _standing(connection, account, bulk_id)


def _reschedule(connection: Connection, account: str, bulk_id: str, send_at: datetime) -> BulkStanding | None:
    bulk = _find(connection, _TO_CHANGE, account, bulk_id)
    if bulk is None:
        return None
    first = connection.execute(_FIRST_WAITING, {"of_bulk": bulk.key}).scalar_one()
    if first is None:
        raise BulkOver(f"no message of the bulk waits any more: it is {_standing_of(connection, bulk).status}")
    shift = (send_at - first) // timedelta(microseconds=1)
    connection.execute(_SHIFT, {"of_bulk": bulk.key, "microseconds": shift})
    announce(connection, Topic.DUE)
    return _standing_of(connection, bulk)


def _change(
    connection: Connection, account: str, bulk_id: str, *, held: BulkStatus | None, old: State, new: State
) -> BulkStanding | None:
    bulk = _find(connection, _TO_CHANGE, account, bulk_id)
    if bulk is None:
        return None
    _hold(connection, bulk, held)
    connection.execute(_CHANGE_STATE, {"of_bulk": bulk.key, "old_state": old, "new_state": new})
    return _standing(connection, account, bulk_id)


def _hold(connection: Connection, bulk: _Bulk, decision: BulkStatus | None) -> None:
    over = {BulkStatus.CANCELED, BulkStatus.FINISHED} - {decision}
    status = _standing_of(connection, bulk).status
    if status in over:
        raise BulkOver(f"the bulk is {status}")
    connection.execute(_HOLD, {"of_bulk": bulk.key, "decision": decision})


def _find(
    connection: Connection, statement: Select[tuple[int, str | None]], account: str, bulk_id: str
) -> _Bulk | None:
    row = connection.execute(statement, {"account": account, "bulk_id": bulk_id}).first()
    return None if row is None else _Bulk(row.key, row.held and BulkStatus(row.held))


def _standing_of(connection: Connection, bulk: _Bulk) -> BulkStanding:
    of_bulk = {"of_bulk": bulk.key}
    over = connection.execute(_OVER, of_bulk).scalar_one()
    begun = over or connection.execute(_BEGUN, of_bulk).scalar_one()
    send_at = (
        connection.execute(_FIRST_WAITING, of_bulk).scalar_one() or connection.execute(_FIRST, of_bulk).scalar_one()
    )
    return BulkStanding(bulk_status(bulk.held, begun=begun, over=over), send_at)
