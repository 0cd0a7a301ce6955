"""Orders: contents and their destinations, which tests ask for without an HTTP request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.messages.expansion import Destination, expand, new_id
from bridge.messages.message import Bulk, Content


@dataclass(frozen=True)
class Order:
    """One content, to any number of destinations."""

    content: Content
    destinations: Sequence[Destination]
    sender: str | None = None
    send_at: datetime | None = None
    validity: timedelta | None = None
    gap: timedelta | None = None


def bulk_of(
    *orders: Order,
    now: datetime,
    bulk_id: str | None = None,
    make_id: Callable[[], str] = new_id,
) -> Bulk:
    """The messages of a request of the account ``acme`` that asks for these."""
    requested = [(order.content, order) for order in orders]
    return expand(requested, account="acme", now=now, bulk_id=bulk_id, make_id=make_id)
