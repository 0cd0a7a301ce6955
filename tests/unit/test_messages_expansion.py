"""From orders to messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

from bridge.messages.expansion import LONGEST_VALIDITY, Destination
from bridge.messages.message import Bulk, Content, DeliveryTimeWindow, TimeOfDay
from bridge.messages.windows import next_opening
from tests.orders import Order, bulk_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def expanded(*orders: Order, bulk_id: str | None = None) -> Bulk:
    numbers = count(1)
    return bulk_of(*orders, now=NOW, bulk_id=bulk_id, make_id=lambda: f"id-{next(numbers)}")


def order(*destinations: str, **members: datetime | timedelta) -> Order:
    return Order(Content(text="hello"), [Destination(to) for to in destinations], **members)  # type: ignore[arg-type]


def test_each_destination_gets_its_message_in_the_order_asked_for() -> None:
    bulk = expanded(order("99900001", "99900002"), order("99900003"))
    assert [message.to for message in bulk.messages] == ["99900001", "99900002", "99900003"]
    assert bulk.account == "acme"
    assert bulk.created_at == NOW


def test_ids_of_the_application_are_kept_and_missing_ones_made() -> None:
    destinations = [Destination("99900001", "mine"), Destination("99900002")]
    bulk = expanded(Order(Content(text="hello"), destinations), bulk_id="my-bulk")
    assert bulk.id == "my-bulk"
    assert bulk.messages[0].id == "mine"
    assert bulk.messages[1].id not in {"", "mine", "my-bulk"}


def test_made_ids_never_repeat() -> None:
    bulk = bulk_of(order(*["99900001"] * 500), now=NOW)
    assert len({bulk.id, *(message.id for message in bulk.messages)}) == 501


def test_messages_of_one_order_share_their_content() -> None:
    bulk = expanded(order("99900001", "99900002"))
    assert bulk.messages[0].content is bulk.messages[1].content


def test_a_message_is_due_now_and_valid_for_48_hours() -> None:
    message = expanded(order("99900001")).messages[0]
    assert (message.send_at, message.expires_at) == (NOW, NOW + timedelta(hours=48))


def test_validity_counts_from_the_scheduled_time_and_is_cut_to_48_hours() -> None:
    later = NOW + timedelta(days=3)
    short = expanded(order("99900001", send_at=later, validity=timedelta(minutes=5))).messages[0]
    assert (short.send_at, short.expires_at) == (later, later + timedelta(minutes=5))
    long = expanded(order("99900001", validity=timedelta(days=30))).messages[0]
    assert long.expires_at == NOW + LONGEST_VALIDITY


def test_a_time_in_the_past_means_now() -> None:
    assert expanded(order("99900001", send_at=NOW - timedelta(days=1))).messages[0].send_at == NOW


def test_with_a_sending_speed_each_destination_has_its_turn_and_the_validity_is_ignored() -> None:
    slow = order(*["99900001"] * 4, gap=timedelta(minutes=6), validity=timedelta(minutes=1))
    messages = expanded(slow).messages
    assert messages[0].send_at == NOW
    assert all(b.send_at - a.send_at == timedelta(minutes=6) for a, b in pairwise(messages))
    assert all(message.expires_at == message.send_at + LONGEST_VALIDITY for message in messages)


def test_turns_of_a_sending_speed_keep_to_the_window() -> None:
    noon_to_one = DeliveryTimeWindow(frozenset(range(7)), TimeOfDay(12, 0), TimeOfDay(13, 0))
    destinations = [Destination("99900001")] * 4
    early = NOW - timedelta(hours=1)
    slow = Order(Content(text="hello", window=noon_to_one), destinations, send_at=early, gap=timedelta(minutes=25))
    messages = bulk_of(slow, now=early).messages
    in_window = [0, 25, 50, 24 * 60]
    assert [message.send_at for message in messages[1:]] == [NOW + timedelta(minutes=m) for m in in_window[1:]]
    assert messages[0].send_at == early
    assert next_opening(noon_to_one, early) == NOW
