"""From what a request asks for to messages, one for each destination."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
) -> Bulk:
    """The messages that a request asks for, in its order.

    A time in the past means now. With a sending speed each destination has its own turn, in the time window if there is
    one, and the validity is counted from there at its longest: an application's own is for calls that are all due at
    once.
    """
    messages = [message for order in orders for message in _messages_of(order, now=now, make_id=make_id)]
    return Bulk(id=bulk_id or make_id(), account=account, created_at=now, messages=messages)


def _messages_of(order: Order, *, now: datetime, make_id: Callable[[], str]) -> list[Message]:
    start = max(order.send_at or now, now)
    if order.gap is None:
        gap, validity = timedelta(), min(order.validity or LONGEST_VALIDITY, LONGEST_VALIDITY)
    else:
        gap, validity = order.gap, LONGEST_VALIDITY
    return [
        Message(
            id=destination.message_id or make_id(),
            to=destination.to,
            sender=order.sender,
            content=order.content,
            send_at=turn,
            expires_at=turn + validity,
        )
        for turn, destination in zip(_turns(start, gap, order.content.window), order.destinations, strict=False)
    ]


def _turns(start: datetime, gap: timedelta, window: DeliveryTimeWindow | None) -> Iterator[datetime]:
    """The first at ``start``, each further one when the one before it may be called, and the gap has passed."""
    turn = start
    while True:
        yield turn
        if gap:
            turn = next_opening(window, next_opening(window, turn) + gap)
