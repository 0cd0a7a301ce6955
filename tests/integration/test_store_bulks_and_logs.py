"""The store's part of windows, bulks and logs, on real databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bridge.messages.bulks import BulkStatus
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Content, DeliveryTimeWindow, TimeOfDay
from bridge.messages.progress import State
from bridge.store import BulkOver, LogFilter, Store
from tests import claims

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE_HOURS = DeliveryTimeWindow(frozenset(range(5)), TimeOfDay(9, 0), TimeOfDay(17, 0))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


async def accept(
    store: Store,
    *ids: str,
    now: datetime,
    window: DeliveryTimeWindow | None = None,
    bulk_id: str = "bulk",
    **terms: Any,
) -> None:
    order = Order(Content(text="Hello", window=window), [Destination("99900001", name) for name in ids], **terms)
    await store.messages.accept(expand([order], account="acme", now=now, bulk_id=bulk_id))


async def dialled(store: Store, now: datetime, limit: int = 100) -> list[str]:
    return [claim.message.id for claim in await claims.claim(store, now, limit=limit)]


async def next_due(store: Store, now: datetime) -> datetime | None:
    """When the dialer that finds nothing to call looks again."""
    nothing = await claims.ask(store, now)
    assert nothing.claims == []
    return nothing.next_due


async def test_a_message_is_due_when_its_window_opens(store: Store) -> None:
    await accept(store, "m1", now=MONDAY + 8 * HOUR, window=OFFICE_HOURS)
    assert await next_due(store, MONDAY + 8 * HOUR) == MONDAY + 9 * HOUR
    assert await dialled(store, MONDAY + 9 * HOUR) == ["m1"]


async def test_what_was_not_dialled_before_its_window_closed_waits_for_the_next_opening(store: Store) -> None:
    await accept(store, "m1", "m2", "m3", now=MONDAY + 16 * HOUR, window=OFFICE_HOURS)
    await accept(store, "anytime", now=MONDAY + 16.5 * HOUR, bulk_id="other")
    assert await dialled(store, MONDAY + 16.5 * HOUR, limit=1) == ["m1"]
    assert await dialled(store, MONDAY + 17 * HOUR) == ["anytime"]
    progress = await store.messages.progress("acme", "m2")
    assert progress is not None
    assert (progress.state, progress.status_id, progress.attempts) == (State.QUEUED, 1, 0)
    assert await dialled(store, MONDAY + DAY + 9 * HOUR - timedelta(seconds=1)) == []
    assert await next_due(store, MONDAY + 18 * HOUR) == MONDAY + DAY + 9 * HOUR
    assert await dialled(store, MONDAY + DAY + 9 * HOUR) == ["m2", "m3"]


async def test_a_message_whose_validity_ends_before_its_window_opens_is_never_dialled(store: Store) -> None:
    saturday = MONDAY + 5 * DAY
    await accept(store, "m1", now=saturday, window=OFFICE_HOURS, validity=HOUR)
    assert await dialled(store, saturday + 9 * HOUR) == []
    assert await store.messages.expire(now=saturday + HOUR, status_id=15, error_id=5408, limit=10) == 1


async def test_a_rescheduled_message_keeps_to_its_window(store: Store) -> None:
    await accept(store, "m1", now=MONDAY + 8 * HOUR, window=OFFICE_HOURS)
    standing = await store.bulks.reschedule("acme", "bulk", MONDAY + 20 * HOUR)
    assert standing is not None
    assert standing.send_at == MONDAY + 20 * HOUR
    assert await dialled(store, MONDAY + 20 * HOUR) == []
    assert await dialled(store, MONDAY + DAY + 9 * HOUR) == ["m1"]


async def test_a_large_bulk_is_canceled_at_once_with_a_report_for_each(store: Store) -> None:
    await accept(store, *(f"m{n}" for n in range(20_000)), now=MONDAY)
    standing = await store.bulks.cancel("acme", "bulk")
    assert standing is not None
    assert standing.status is BulkStatus.CANCELED
    assert await store.bulks.counts("acme", "bulk") == {State.DONE: 20_000}
    taken = 0
    while reports := await store.reports.take("acme", limit=1000):
        assert {(report.status_id, report.error_id) for report in reports} == {(9, 5487)}
        taken += len(reports)
    assert taken == 20_000
    with pytest.raises(BulkOver):
        await store.bulks.resume("acme", "bulk")


FILTERS: list[dict[str, Any]] = [
    {},
    {"to": "99900002"},
    {"sender": "1"},
    {"status_ids": [5]},
    {"bulk_ids": ["bulk", "other"]},
    {"message_ids": ["m1", "m2"]},
    {"message_ids": ["m1"], "bulk_ids": ["bulk"]},
]


@pytest.mark.parametrize("chosen", FILTERS)
async def test_logs_never_walk_through_all_messages(tmp_path: Path, chosen: dict[str, Any]) -> None:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    plans: list[str] = []

    def note_the_plan(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM messages" in statement:
            plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    event.listen(store._database.engine, "before_cursor_execute", note_the_plan)
    await store.messages.logs("acme", LogFilter(MONDAY - 2 * DAY, MONDAY, **chosen), 50)
    (how,) = [step for step in plans if step.startswith("SEARCH messages ")]
    narrowed_by = {"bulk_ids": "bulk_key=?", "message_ids": "id=?"}
    assert next((narrowed_by[name] for name in chosen if name in narrowed_by), "account=? AND sent_at>?") in how
    assert not [step for step in plans if step.startswith("SCAN messages")]
    await store.close()
