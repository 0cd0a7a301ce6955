"""Claiming messages to call: each gets a turn of its trunk and a committed attempt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, literal_column, select, update

from bridge.messages.attempt import Attempt
from bridge.messages.message import Content, Message
from bridge.messages.progress import State
from bridge.messages.statuses import PENDING_ACCEPTED, PENDING_TIME_VIOLATION
from bridge.messages.windows import is_open, next_opening
from bridge.store import nodes, trunks
from bridge.store.rows import MESSAGE_COLUMNS, begun_values, message_of
from bridge.store.tables import attempts, bulks, contents, messages
from bridge.store.trunks import TrunkLimit, Turn
from bridge.telephony.exchange import DEFAULT_CALL_LIMIT
from bridge.telephony.formats import Formats

_SPEECH_SECONDS = 30
_ASK_AGAIN = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this node now calls, and the attempt that is committed for it.

    ``starts_at`` is its turn on the trunk, in UTC by this node's clock, as all times of an attempt.
    """

    key: int
    account: str
    bulk_id: str
    message: Message
    attempt: Attempt
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a claim got, and why it got no more.

    ``next_turn`` is when to ask again, if the trunk's turns have run out. ``is_full`` says that ``max_calls`` calls are
    under way on the trunk, over all nodes. ``next_due`` is when the trunk's next waiting message is due.
    """

    claims: list[Claim]
    next_turn: datetime | None = None
    is_full: bool = False
    next_due: datetime | None = None


# Statements stand here, and not where they run, because building one costs more than running it.

# A literal, since a partial index is not used for a parameter.
_QUEUED = messages.c.state == literal_column(f"'{State.QUEUED}'")
_OF_TRUNK = messages.c.trunk == bindparam("trunk")
_STANDING = select(
    trunks.CALLS.scalar_subquery().label("calls"),
    nodes.LIVE.scalar_subquery().label("live_nodes"),
    nodes.INSTANCE.scalar_subquery().label("instance"),
)
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
        _OF_TRUNK,
        _QUEUED,
        messages.c.due_at <= bindparam("now"),
        messages.c.expires_at > bindparam("now"),
    )
    .order_by(messages.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(of=messages, skip_locked=True)
)
_NEXT_DUE = select(func.min(messages.c.due_at)).where(_OF_TRUNK, _QUEUED, messages.c.due_at > bindparam("now"))
_ADD_ATTEMPT = insert(attempts)
_DIAL = (
    update(messages)
    .where(messages.c.key == bindparam("message_key"))
    .values(state=State.DIALLING, attempts=messages.c.attempts + 1, status_id=PENDING_ACCEPTED)
)
_CLOSED = (
    select(messages.c.key)
    .where(
        messages.c.bulk_key == bindparam("of_bulk"),
        _QUEUED,
        messages.c.content_key == bindparam("of_content"),
        messages.c.due_at <= bindparam("now"),
    )
    .with_for_update(skip_locked=True)
)
_PUT_OFF = (
    update(messages)
    .where(messages.c.key.in_(_CLOSED))
    .values(due_at=bindparam("opening"), status_id=PENDING_TIME_VIOLATION)
)


def claim_due(
    connection: Connection,
    *,
    node: str,
    instance: str | None,
    place: str,
    asterisk: str,
    of_trunk: str,
    limit_of: TrunkLimit,
    formats: Formats,
    clock: Callable[[], datetime],
    ahead: timedelta,
    limit: int,
) -> Claims:
    """Take messages of a trunk that are due, the longest waiting first, and commit an attempt for each.

    Those whose time window is closed are put off to its next opening instead.
    """
    turn = trunks.turn_if_free(connection, limit_of, clock)
    if turn is None:
        return Claims([], next_turn=clock() + _ASK_AGAIN)
    first, now = turn.at, turn.now
    # Whoever had the turn before looks less far ahead, so that every node gets its share however fast it asks.
    horizon = ahead / 2 if turn.taken_by == node else ahead
    turns = math.floor((now + horizon - first) / limit_of.interval) + 1
    if turns <= 0:
        return Claims([], next_turn=_ask_at(first, horizon, now))
    standing = connection.execute(_STANDING, {"trunk": limit_of.name, "node": node, "now": now}).one()
    if standing.instance != instance:
        return Claims([])
    room = limit_of.max_calls - standing.calls
    if room <= 0:
        return Claims([], is_full=True)
    share = math.ceil(turns / max(1, standing.live_nodes))
    wanted = min(limit, room, share)
    rows = connection.execute(_DUE, {"trunk": of_trunk, "now": now, "limit": wanted}).mappings().all()
    open_, closed = _by_window(rows, now)
    _put_off(connection, closed, now)
    claims = [
        _claim(
            row,
            message,
            node=node,
            asterisk=asterisk,
            trunk=limit_of.name,
            formats=formats,
            starts_at=first + number * limit_of.interval,
        )
        for number, (row, message) in enumerate(open_)
    ]
    if claims:
        first = _begin(connection, claims, limit_of, turn, place)
    if len(claims) == wanted:
        next_turn = _ask_at(first, ahead / 2, now) if wanted == share else None
        return Claims(claims, next_turn=next_turn, is_full=wanted == room)
    return Claims(claims, next_due=now if len(rows) == wanted else _next_due(connection, of_trunk, now))


def _ask_at(turn: datetime, horizon: timedelta, now: datetime) -> datetime:
    """When to ask again: some turns from ``turn`` on are within the horizon then, to be taken together."""
    return max(turn - horizon, now + _ASK_AGAIN)


def _by_window(
    rows: Sequence[RowMapping], now: datetime
) -> tuple[list[tuple[RowMapping, Message]], dict[tuple[int, int], datetime]]:
    """Messages that may be called now, and when the windows of the others open, by bulk and content."""
    open_, closed = [], {}
    for row in rows:
        message = message_of(row)
        if is_open(message.content.window, now):
            open_.append((row, message))
        else:
            closed[row["bulk_key"], row["content_key"]] = next_opening(message.content.window, now)
    return open_, closed


def _put_off(connection: Connection, closed: dict[tuple[int, int], datetime], now: datetime) -> None:
    for (bulk_key, content_key), opening in closed.items():
        connection.execute(_PUT_OFF, {"of_bulk": bulk_key, "of_content": content_key, "now": now, "opening": opening})


def _claim(
    row: RowMapping, message: Message, *, node: str, asterisk: str, trunk: str, formats: Formats, starts_at: datetime
) -> Claim:
    sent_to, sent_from = formats.sent(trunk, message.to, message.sender)
    attempt = Attempt(
        id=f"vb-{uuid4().hex}",
        message_id=message.id,
        number=row["attempts"] + 1,
        node=node,
        asterisk=asterisk,
        trunk=trunk,
        sender=message.sender,
        to=message.to,
        sent_to=sent_to,
        sent_from=sent_from,
        queued_at=row["due_at"],
        dialled_at=starts_at,
    )
    return Claim(row["key"], row["account"], row["bulk_id"], message, attempt, starts_at)


def _next_due(connection: Connection, trunk: str, now: datetime) -> datetime | None:
    moment: datetime | None = connection.execute(_NEXT_DUE, {"trunk": trunk, "now": now}).scalar_one()
    return moment


def _begin(connection: Connection, claims: list[Claim], limit_of: TrunkLimit, turn: Turn, place: str) -> datetime:
    """Keep the attempts and take their turns; return the trunk's next one."""
    connection.execute(_ADD_ATTEMPT, [_attempt_row(claim, place) for claim in claims])
    connection.execute(_DIAL, [{"message_key": claim.key} for claim in claims])
    return trunks.take(connection, limit_of, turn, node=claims[0].attempt.node, count=len(claims))


def _attempt_row(claim: Claim, place: str) -> dict[str, Any]:
    return {
        "place": place,
        "id": claim.attempt.id,
        "message_key": claim.key,
        "ends_by": ends_by(claim.message.content, claim.starts_at),
        **begun_values(claim.attempt),
    }


def ends_by(content: Content, starts_at: datetime) -> datetime:
    """When a call that starts then is over at the latest."""
    call = content.call_timeout or DEFAULT_CALL_LIMIT
    return starts_at + timedelta(seconds=content.ring_timeout + call + _SPEECH_SECONDS)
