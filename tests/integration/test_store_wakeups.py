"""Whoever waits for work hears of it after the commit, on every node."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest

from bridge.base.tasks import Supervisor
from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.store import DuplicateId, Store, Topic
from tests import claims
from tests.postgres import Postgres, running_postgres

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def bulk(*ids: str, content: Content | None = None) -> Bulk:
    messages = [
        Message(
            id=name, to="99900001", sender=None, content=content or Content(text="Hello"), send_at=NOW,
            expires_at=NOW + timedelta(hours=48),
        )
        for name in ids
    ]  # fmt: skip
    return Bulk(id=f"bulk-of-{ids[0]}", account="acme", created_at=NOW, messages=messages)


class Woken:
    """How often those who wait for each topic were woken."""

    def __init__(self, store: Store) -> None:
        self.counts: Counter[Topic] = Counter()
        self._more = asyncio.Event()
        for topic in Topic:
            store.subscribe(topic, partial(self._count, topic))

    def _count(self, topic: Topic) -> None:
        self.counts[topic] += 1
        self._more.set()

    async def become(self, expected: dict[Topic, int]) -> None:
        async with asyncio.timeout(30):
            while self.counts != expected:
                self._more.clear()
                await self._more.wait()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


async def test_what_gives_work_wakes_once(store: Store) -> None:
    woken = Woken(store)
    await store.messages.accept(bulk("m1", "m2", "m3"))
    assert woken.counts == {Topic.DUE: 1}
    with pytest.raises(DuplicateId):
        await store.messages.accept(bulk("m1"))
    assert woken.counts == {Topic.DUE: 1}
    await store.bulks.cancel("acme", "bulk-of-m1")
    assert woken.counts == {Topic.DUE: 1, Topic.CANCELED: 1}


async def test_a_report_wakes_who_pushes_it_and_nobody_else(store: Store) -> None:
    pushed = Content(text="Hello", notify=Notify("https://example.com/reports"))
    await store.messages.accept(bulk("m1"))
    await store.messages.accept(bulk("m2", content=pushed))
    woken = Woken(store)
    for claim in await claims.claim(store, NOW):
        attempt = replace(claim.attempt, ended_at=NOW, status_id=5, error_id=5000)
        await store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=NOW)
    assert woken.counts == {Topic.PUSH: 1}


@pytest.fixture
async def nodes(postgres: Postgres) -> AsyncIterator[list[Store]]:
    """Two nodes that hear each other."""
    url = postgres.new_database()
    stores = [Store(url), Store(url)]
    supervisor = Supervisor(on_dead=lambda _: None)
    for store in stores:
        woken = Woken(store)
        supervisor.keep("wakeups", store.hear)
        await woken.become(dict.fromkeys(Topic, 1))  # who begins to listen looks once
    yield stores
    await supervisor.stop()
    for store in stores:
        await store.close()
    postgres.drop(url)


async def test_the_other_nodes_are_woken_too_and_nobody_twice(nodes: list[Store]) -> None:
    here, there = (Woken(store) for store in nodes)
    await nodes[0].messages.accept(bulk("m1"))
    assert here.counts == {Topic.DUE: 1}
    await there.become({Topic.DUE: 1})
    await nodes[1].bulks.cancel("acme", "bulk-of-m1")
    # What comes after it on the same connection was heard, so a repetition would have been as well.
    await here.become({Topic.DUE: 1, Topic.CANCELED: 1})
    assert there.counts == {Topic.DUE: 1, Topic.CANCELED: 1}


async def test_a_transaction_notifies_once_however_much_is_in_it(postgres: Postgres) -> None:
    url = postgres.new_database()
    store = Store(url)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listener:
        await listener.execute("LISTEN voicebridge")
        await store.messages.accept(bulk(*(f"m{n}" for n in range(500))))
        await store.bulks.cancel("acme", "bulk-of-m0")
        heard = [notice.payload.split()[0] async for notice in listener.notifies(timeout=30, stop_after=2)]
    assert heard == ["due", "canceled"]
    await store.close()
    postgres.drop(url)


async def test_a_node_that_lost_the_server_looks_for_what_it_missed_and_hears_again() -> None:
    with running_postgres() as postgres:
        url = postgres.new_database()
        here, there = Store(url), Store(url)
        hearing = asyncio.create_task(here.hear())
        woken = Woken(here)
        await woken.become(dict.fromkeys(Topic, 1))
        await asyncio.to_thread(postgres.restart, "immediate")
        await woken.become(dict.fromkeys(Topic, 2))
        await there.messages.accept(bulk("m1"))
        await woken.become({**dict.fromkeys(Topic, 2), Topic.DUE: 3})
        hearing.cancel()
        await here.close()
        await there.close()
