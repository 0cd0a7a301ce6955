"""From what a request asks for to messages, one for each destination."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
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


class Sending(Protocol):
    """Whom a content goes to, from whom and when; a request is asked for it as it is.

    ``gap`` is the time from one destination's turn to the next one's, when a sending speed was asked for.
    """

    @property
    def destinations(self) -> Sequence[Destination]: ...
    @property
    def sender(self) -> str | None: ...
    @property
    def send_at(self) -> datetime | None: ...
    @property
    def validity(self) -> timedelta | None: ...
    @property
    def gap(self) -> timedelta | None: ...


Requested = tuple[Content, Sending]
"""One requested message to any number of destinations."""


def new_id() -> str:
    """An id nobody else has: a random UUID (RFC 9562, version 4)."""
    return str(uuid4())


def expand(
    requested: Sequence[Requested],
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
    once. With ``one_pace`` those of the same speed, time and window take turns as the destinations of one do.
    """
    paces: dict[Hashable, Iterator[datetime]] = {}
    messages = []
    for index, (content, sending) in enumerate(requested):
        start, gap = max(sending.send_at or now, now), sending.gap
        turns = _turns(start, gap or timedelta(), content.window)
        if gap is not None:
            pace = (gap, start, content.window) if one_pace else index
            turns = paces.setdefault(pace, turns)
        messages += _messages_of(content, sending, turns, make_id=make_id)
    return Bulk(id=bulk_id or make_id(), account=account, created_at=now, messages=messages)


def _messages_of(
    content: Content, sending: Sending, turns: Iterator[datetime], *, make_id: Callable[[], str]
) -> list[Message]:
    sender, validity = sending.sender, LONGEST_VALIDITY
    if sending.gap is None and sending.validity is not None:
        validity = min(sending.validity, LONGEST_VALIDITY)
    return [
        Message(
            id=destination.message_id or make_id(),
            to=destination.to,
            sender=sender,
            content=content,
            send_at=turn,
            expires_at=turn + validity,
        )
        # A turn too many would be lost for the next content of the same pace.
        for destination, turn in zip(sending.destinations, turns, strict=False)
    ]


def _turns(start: datetime, gap: timedelta, window: DeliveryTimeWindow | None) -> Iterator[datetime]:
    """The first at ``start``, each further one when the one before it may be called, and the gap has passed."""
    turn = start
    while True:
        yield turn
        if gap:
            turn = next_opening(window, next_opening(window, turn) + gap)
