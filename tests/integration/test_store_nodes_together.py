"""Several nodes work on one database at the same time, and do not get in each other's way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.messages.bulks import BulkStatus
from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.messages.progress import State
from bridge.store import BulkOver, Claim, DuplicateId, Store
from tests import claims
from tests.database_clock import DatabaseClock

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HELLO = Content(text="Hello")


@pytest.fixture
async def nodes(database_url: str) -> AsyncIterator[list[Store]]:
    stores = [Store(database_url) for _ in range(4)]
    yield stores
    for store in stores:
        await store.close()


def bulk(bulk_id: str, count: int, content: Content = HELLO) -> Bulk:
    messages = [
        Message(
            id=f"{bulk_id}-{n}", to="99900001", sender=None, content=content, send_at=NOW,
            expires_at=NOW + timedelta(hours=48),
        )
        for n in range(count)
    ]  # fmt: skip
    return Bulk(id=bulk_id, account="acme", created_at=NOW, messages=messages)


def names(bulk_id: str, count: int) -> list[str]:
    return sorted(f"{bulk_id}-{n}" for n in range(count))


async def claim_all(store: Store, node: str = "here", limit: int = 7) -> list[Claim]:
    """Claims until nothing is due, some at a time."""
    taken: list[Claim] = []
    while True:
        answer = await claims.ask(store, NOW, node=node, limit=limit)
        taken += answer.claims
        if not answer.claims and answer.next_turn is None:
            return taken


async def finish(store: Store, claim: Claim) -> bool:
    attempt = replace(claim.attempt, ended_at=NOW, status_id=5, error_id=5000)
    return await store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=NOW)


async def call_again(store: Store, claim: Claim) -> bool:
    busy = replace(claim.attempt, ended_at=NOW, sip_status=486, status_id=15, error_id=5002)
    return await store.calls.retry(claim.key, busy, NOW, 26)


async def take_reports(store: Store, over: asyncio.Event) -> list[str]:
    """Pulls reports, some at a time, until there are none after everything is over."""
    taken: list[str] = []
    while True:
        was_over = over.is_set()
        reports = await store.reports.take("acme", limit=7)
        taken += [report.message.id for report in reports]
        if was_over and not reports:
            return taken


async def test_each_message_is_claimed_by_one_node(database_clock: DatabaseClock, nodes: list[Store]) -> None:
    database_clock.set(NOW)
    await nodes[0].messages.accept(bulk("b", 200))
    taken = await asyncio.gather(*(claim_all(store, f"node{n}") for n, store in enumerate(nodes)))
    assert sorted(claim.message.id for part in taken for claim in part) == names("b", 200)
    assert len({claim.starts_at for part in taken for claim in part}) == 200, "each has its own turn on the trunk"


async def test_each_report_is_taken_once_while_calls_end(nodes: list[Store]) -> None:
    await nodes[0].messages.accept(bulk("b", 60))
    claimed = await claim_all(nodes[0])
    over = asyncio.Event()

    async def end_calls() -> None:
        for claim in claimed:
            await finish(nodes[0], claim)
        over.set()

    ending = asyncio.create_task(end_calls())
    taken = await asyncio.gather(*(take_reports(store, over) for store in nodes))
    await ending
    assert sorted(name for part in taken for name in part) == names("b", 60)


async def test_the_end_of_a_call_is_kept_once_whoever_tells_it(nodes: list[Store]) -> None:
    await nodes[0].messages.accept(bulk("b", 30))
    for claim in await claim_all(nodes[0]):
        ends: list[Awaitable[bool]] = [finish(nodes[0], claim), finish(nodes[1], claim), call_again(nodes[2], claim)]
        assert sorted(await asyncio.gather(*ends)) == [False, False, True]
    waiting = [claim.message.id for claim in await claim_all(nodes[3])]
    assert await nodes[0].bulks.counts("acme", "b") in (
        {State.DIALLING: len(waiting), State.DONE: 30 - len(waiting)},
        {State.DONE: 30},
    )
    assert len(await nodes[0].reports.take("acme")) == 30 - len(waiting)


async def test_a_canceled_bulk_is_not_called_again_by_a_call_that_ends_just_then(nodes: list[Store]) -> None:
    for round_ in range(15):
        await nodes[0].messages.accept(bulk(f"b{round_}", 6))
        live, *others = await claims.claim(nodes[0], NOW, limit=4)
        await asyncio.gather(
            nodes[1].bulks.cancel("acme", f"b{round_}"),
            *(call_again(nodes[2], claim) for claim in others),
            nodes[3].calls.release(live.key, live.attempt.id),
        )
        assert await claims.claim(nodes[0], LATER) == []
        assert await nodes[0].bulks.counts("acme", f"b{round_}") == {State.DONE: 6}
        assert len(await nodes[0].reports.take("acme", bulk_id=f"b{round_}")) == 6


async def test_what_is_canceled_stays_canceled_whatever_others_decide_just_then(nodes: list[Store]) -> None:
    async def decide(decision: Awaitable[object]) -> None:
        with suppress(BulkOver):
            await decision

    for round_ in range(15):
        name = f"b{round_}"
        await nodes[0].messages.accept(bulk(name, 3))
        await claims.claim(nodes[0], NOW, limit=1)
        await nodes[0].bulks.pause("acme", name)
        await asyncio.gather(
            decide(nodes[0].bulks.resume("acme", name)),
            decide(nodes[1].bulks.cancel("acme", name)),
            decide(nodes[2].bulks.resume("acme", name)),
            decide(nodes[3].bulks.reschedule("acme", name, LATER)),
        )
        standing = await nodes[0].bulks.standing("acme", name)
        assert standing is not None
        assert standing.status is BulkStatus.CANCELED
        assert await nodes[0].bulks.counts("acme", name) == {State.DIALLING: 1, State.DONE: 2}


async def test_of_two_new_times_one_is_taken(nodes: list[Store]) -> None:
    await nodes[0].messages.accept(bulk("b", 3))
    for round_ in range(1, 16):
        wanted = [NOW + round_ * MINUTE, NOW + timedelta(hours=round_)]
        await asyncio.gather(
            *(store.bulks.reschedule("acme", "b", at) for store, at in zip(nodes, wanted, strict=False))
        )
        standing = await nodes[2].bulks.standing("acme", "b")
        assert standing is not None
        assert standing.send_at in wanted


async def test_a_message_is_called_or_expires_but_not_both(nodes: list[Store]) -> None:
    await nodes[0].messages.accept(bulk("b", 100))
    over = NOW + timedelta(hours=48)
    expiring = [
        asyncio.create_task(store.messages.expire(now=over, status_id=15, error_id=5408, limit=60))
        for store in nodes[:2]
    ]
    called = await asyncio.gather(claim_all(nodes[2], "node2"), claim_all(nodes[3], "node3"))
    expired = await asyncio.gather(*expiring)
    ids = [claim.message.id for part in called for claim in part]
    reports = [report.message.id for report in await nodes[0].reports.take("acme", limit=1000)]
    assert len(reports) == sum(expired)
    assert sorted(ids + reports) == names("b", 100)


async def test_each_report_is_pushed_by_one_node(nodes: list[Store]) -> None:
    await nodes[0].messages.accept(bulk("b", 60, replace(HELLO, notify=Notify("https://example.com/reports"))))
    for claim in await claim_all(nodes[0]):
        await finish(nodes[0], claim)

    async def push(store: Store) -> list[str]:
        pushed: list[str] = []
        while pushes := await store.outbox.claim(now=NOW, until=LATER, busy={}, most_at_once=5, limit=20):
            for leased in pushes:
                await store.outbox.delivered(leased, NOW)
            pushed += [leased.report.message.id for leased in pushes]
        return pushed

    pushed = await asyncio.gather(*(push(store) for store in nodes))
    assert sorted(name for part in pushed for name in part) == names("b", 60)


async def test_an_id_is_used_once_however_many_nodes_are_sent_it(nodes: list[Store]) -> None:
    for round_ in range(10):
        outcomes = await asyncio.gather(
            *(store.messages.accept(bulk(f"b{round_}", 3)) for store in nodes), return_exceptions=True
        )
        assert Counter(map(type, outcomes)) == {type(None): 1, DuplicateId: 3}
    assert len(await claim_all(nodes[0])) == 30


async def test_nodes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as starting:
        stores = list(starting.map(Store, [empty_database_url] * 4))
    for number, store in enumerate(stores):
        await store.messages.accept(bulk(f"b{number}", 1))
        await store.close()
