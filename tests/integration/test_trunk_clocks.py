"""Nodes whose clocks differ take turns on a trunk in the time of their database, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest

from bridge.messages.attempt import Leg
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Content
from bridge.store import Claims, Store, TrunkLimit
from tests.database_clock import DatabaseClock
from tests.integration.attempt_desk import eventually
from tests.postgres import Postgres

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
AHEAD = SECOND / 5
"""As the dialer has it."""


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@dataclass
class Node:
    """A node whose clock is wrong by so much; ``dialled`` is when its calls began, in the right time."""

    name: str
    store: Store
    wrong_by: timedelta
    dialled: list[datetime] = field(default_factory=list)

    async def claim(self, limit: TrunkLimit, now: datetime | None = None) -> Claims:
        """``now`` is the right time; the machine's unless it is told."""
        answer = await self.store.calls.claim_due(
            node=self.name,
            asterisk="127.0.0.1:5038",
            of_trunk="trunk",
            limit_of=limit,
            clock=lambda: (now or datetime.now(UTC)) + self.wrong_by,
            ahead=AHEAD,
            limit=100,
        )
        self.dialled += [claim.starts_at - self.wrong_by for claim in answer.claims]
        return answer


@asynccontextmanager
async def two_nodes(url: str, wrong_by: timedelta, now: datetime, messages: int) -> AsyncIterator[list[Node]]:
    """One with the right clock and one with a wrong one, and so many messages to call."""
    nodes = [Node("right", Store(url), 0 * SECOND), Node("wrong", Store(url), wrong_by)]
    for node in nodes:
        await node.store.nodes.take(node.name, node.name, now, now + 600 * SECOND)
    destinations = [Destination("38591", f"m{n}") for n in range(messages)]
    order = Order(Content(text="Hello"), destinations)
    await nodes[0].store.messages.accept(expand([order], account="acme", now=now - 60 * SECOND, bulk_id="bulk"))
    yield nodes
    for node in nodes:
        await node.store.close()


def shares(nodes: list[Node]) -> list[float]:
    calls = sum(len(node.dialled) for node in nodes)
    return [len(node.dialled) / calls for node in nodes]


@pytest.mark.parametrize("wrong_by", [0.1 * SECOND, SECOND, -SECOND])
async def test_each_node_gets_its_share_and_every_turn_is_taken(url: str, wrong_by: timedelta) -> None:
    clock, limit = DatabaseClock(url), TrunkLimit("trunk", calls_per_second=10, max_calls=1000)
    async with two_nodes(url, wrong_by, NOW, 120) as nodes:
        for moment in range(10 * 40):
            now = NOW + moment * SECOND / 40
            clock.set(now)
            for node in nodes:
                await node.claim(limit, now)
    clock.close()
    began = sorted(nodes[0].dialled + nodes[1].dialled)
    assert began == [NOW + n * SECOND / 10 for n in range(len(began))]
    assert len(began) >= 100
    assert all(0.4 <= share <= 0.6 for share in shares(nodes)), shares(nodes)


async def test_nodes_that_ask_at_the_same_time_keep_the_pace(url: str) -> None:
    limit, seconds = TrunkLimit("trunk", calls_per_second=20, max_calls=1000), 4

    async def claim_often(node: Node) -> None:
        while datetime.now(UTC) < over:
            answer = await node.claim(limit)
            assert answer.next_turn is not None
            await asyncio.sleep((answer.next_turn - node.wrong_by - datetime.now(UTC)).total_seconds())

    async with two_nodes(url, SECOND, datetime.now(UTC), 200) as nodes:
        over = datetime.now(UTC) + seconds * SECOND
        await asyncio.gather(*map(claim_often, nodes))
    began = sorted(nodes[0].dialled + nodes[1].dialled)
    per_second = (len(began) - 1) / (began[-1] - began[0]).total_seconds()
    assert len(began) >= 20 * seconds * 0.95
    assert 20 * 0.95 <= per_second <= 20 * 1.05
    assert all(limit.interval / 2 < later - earlier for earlier, later in pairwise(began))
    assert all(0.4 <= share <= 0.6 for share in shares(nodes)), shares(nodes)


async def test_a_leg_waits_for_its_turn_by_the_clock_of_its_node(url: str) -> None:
    clock, limit = DatabaseClock(url), TrunkLimit("trunk", calls_per_second=10, max_calls=1000)
    other = TrunkLimit("other", calls_per_second=0.5, max_calls=1000)
    clock.set(NOW)
    async with two_nodes(url, SECOND, NOW, 5) as (right, wrong):
        claim, *_ = (await wrong.claim(limit, NOW)).claims
        await right.claim(other, NOW)
        leg = Leg("trunk", claim.starts_at, claim.starts_at, 38)
        gone_on = await wrong.store.calls.next_leg(claim, leg, other, lambda: NOW + wrong.wrong_by)
    clock.close()
    assert right.dialled == [NOW]
    assert gone_on is not None
    assert gone_on.starts_at == gone_on.attempt.dialled_at == NOW + 2 * SECOND + wrong.wrong_by


async def test_a_leg_that_waits_for_the_trunk_does_not_lose_its_turn(url: str, postgres: Postgres) -> None:
    """The server's time and the node's are read at one moment, when another node no longer holds the trunk."""
    limit = TrunkLimit("trunk", calls_per_second=0.2, max_calls=1000)

    async def waits_for_long() -> bool:
        since = "SELECT clock_timestamp() - query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return any(waited > 2 * SECOND for (waited,) in postgres.execute(since))

    async with two_nodes(url, 0 * SECOND, datetime.now(UTC), 1) as (node, _):
        (claim,) = (await node.claim(limit)).claims
        leg = Leg("trunk", claim.starts_at, claim.starts_at, 38)
        with psycopg.connect(url) as another:
            another.execute("SELECT * FROM trunks FOR UPDATE")
            going_on = asyncio.create_task(node.store.calls.next_leg(claim, leg, limit, lambda: datetime.now(UTC)))
            await eventually(waits_for_long)
        gone_on = await going_on
    assert gone_on is not None
    assert abs(gone_on.starts_at - claim.starts_at - 5 * SECOND) < SECOND
