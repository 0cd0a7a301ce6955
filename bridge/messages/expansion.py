"""From what a request asks for to messages, one for each destination."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from bridge.messages.message import Bulk, Content, DeliveryTimeWindow, Message
from bridge.messages.windows import next_opening

LONGEST_VALIDITY = timedelta(hours=48)
"""The validity of a message that names none, and the most one can ask for."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A number to call (digits), and the id that the application gave to the message."""

    to: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One requested message to any number of destinations.

    ``gap`` is the time from one destination's turn to the next one's, when a sending speed was asked for.
    """

    content: Content
    destinations: Sequence[Destination]
    sender: str | None = None
    send_at: datetime | None = None
    validity: timedelta | None = None
    gap: timedelta | None = None


def new_id() -> str:
    """An id nobody else has: a random UUID (RFC 9562, version 4)."""
    return str(uuid4())


def expand(
    orders: Sequence[Order],
    *,
    account: str,
    now: datetime,
    bulk_id: str | None = None,
    make_id: Callable[[], str] = new_id,
    one_pace: bool = False,
) -> Bulk:
    """The messages that a request asks for, in its order.

    A time in the past means now. With a sending speed each destination has its own turn, in the time window if there is
    one, and the validity is counted from there at its longest: an application's own is for calls that are all due at
    once. With ``one_pace`` orders of the same speed, time and window take turns as the destinations of one do.
    """
    paces: dict[Hashable, Iterator[datetime]] = {}
    messages = []
    for index, order in enumerate(orders):
        start = max(order.send_at or now, now)
        turns = _turns(start, order.gap or timedelta(), order.content.window)
        if order.gap is not None:
            pace = (order.gap, start, order.content.window) if one_pace else index
            turns = paces.setdefault(pace, turns)
        messages += _messages_of(order, turns, make_id=make_id)
    return Bulk(id=bulk_id or make_id(), account=account, created_at=now, messages=messages)


def _messages_of(order: Order, turns: Iterator[datetime], *, make_id: Callable[[], str]) -> list[Message]:
    validity = LONGEST_VALIDITY
    if order.gap is None and order.validity is not None:
        validity = min(order.validity, LONGEST_VALIDITY)
    return [
        Message(
            id=destination.message_id or make_id(),
            to=destination.to,
            sender=order.sender,
            content=order.content,
            send_at=turn,
            expires_at=turn + validity,
        )
        # A turn too many would be lost for the next order of the same pace.
        for destination, turn in zip(order.destinations, turns, strict=False)
    ]


def _turns(start: datetime, gap: timedelta, window: DeliveryTimeWindow | None) -> Iterator[datetime]:
    """The first at ``start``, each further one when the one before it may be called, and the gap has passed."""
    turn = start
    while True:
        yield turn
        if gap:
            turn = next_opening(window, next_opening(window, turn) + gap)
