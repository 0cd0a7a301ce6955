"""Expansion of a request into messages: one for each destination, with the time at which it is due."""

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
    """How a content is sent: to whom, from whom and when. The request models of the API have these members.

    ``gap`` is the time from one destination to the next, when a sending speed was asked for.
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

    A ``send_at`` in the past means now. With a sending speed the destinations are due one after the other, inside the
    time window if there is one. Each then has the longest validity, counted from the time at which it is due: a
    validity of the application's own is meant for calls that are all due at once, and is ignored. With ``one_pace``
    all contents of the same speed, ``send_at`` and window follow each other as the destinations of one content do.
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
        # The destinations come first: so zip() takes no time too many, which the next content of the pace would miss.
        for destination, turn in zip(sending.destinations, turns, strict=False)
    ]


def _turns(start: datetime, gap: timedelta, window: DeliveryTimeWindow | None) -> Iterator[datetime]:
    """When destinations are due: at ``start``, then each one gap after the one before it may be called."""
    turn = start
    while True:
        yield turn
        if gap:
            turn = next_opening(window, next_opening(window, turn) + gap)
