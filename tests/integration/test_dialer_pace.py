"""How fast and how many at once a trunk is called, over all nodes, as its telephones see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.messages.progress import State
from bridge.store import TrunkLimit
from tests.integration.dialer_node import Node, attempts_to, running_node, send, telephones_of, until_is

pytestmark = pytest.mark.alone

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.lab.telephones import PhoneCall
    from tests.integration.conftest import OpenLink, RunningAsterisk, Telephones
    from tests.postgres import Postgres

BUSY, NEVER_ANSWERED = "99901", "99902"
CALLS_PER_SECOND = 20
NOTICED_LATE = timedelta(seconds=0.3)


class Nodes:
    """Starts nodes on one database, each with a link of its own; all are stopped after the test."""

    def __init__(self, url: str, asterisk: RunningAsterisk, open_link: OpenLink, folder: Path) -> None:
        self._url = url
        self._asterisk = asterisk
        self._open_link = open_link
        self._folder = folder
        self.stack = AsyncExitStack()

    async def start(self, count: int, trunk: TrunkLimit) -> list[Node]:
        nodes = []
        for number in range(count):
            link = await self._open_link(self._asterisk.url)
            await link.wait_connected()
            name, folder = f"node{number}", self._folder / f"node{number}"
            node = running_node(name, self._url, folder, [link], trunks=[trunk])
            nodes.append(await self.stack.enter_async_context(node))
        return nodes


@pytest.fixture
async def nodes(
    postgres: Postgres, asterisk: RunningAsterisk, open_link: OpenLink, tmp_path: Path
) -> AsyncIterator[Nodes]:
    url = postgres.new_database()
    nodes = Nodes(url, asterisk, open_link, tmp_path)
    async with nodes.stack:
        yield nodes
    postgres.drop(url)


@pytest.mark.parametrize("count", [1, 2])
async def test_the_trunk_is_called_at_its_pace_by_all_nodes_together(
    nodes: Nodes, telephones: Telephones, count: int
) -> None:
    running = await nodes.start(count, TrunkLimit("trunk", CALLS_PER_SECOND, max_calls=200))
    numbers = telephones_of(BUSY, 160)
    bulk = await send(running[0].store, numbers)
    await until_is(running[0].store, bulk, {State.DONE: 160})
    began = sorted([(await telephones.only_call(number)).started.timestamp() for number in numbers])
    per_second = (len(began) - 1) / (began[-1] - began[0])
    assert CALLS_PER_SECOND * 0.9 <= per_second <= CALLS_PER_SECOND * 1.05
    assert most_within(1.0, began) < CALLS_PER_SECOND * 1.5  # what a busy machine has made late comes sooner after
    if count > 1:
        shares = Counter(attempt.node for attempt in await attempts_to(running[0].store, numbers))
        assert all(48 <= share <= 112 for share in shares.values()), shares


@pytest.mark.parametrize("count", [1, 2])
async def test_a_trunk_has_no_more_calls_at_once_than_it_may_over_all_nodes(
    nodes: Nodes, telephones: Telephones, count: int
) -> None:
    running = await nodes.start(count, TrunkLimit("trunk", calls_per_second=50, max_calls=5))
    numbers = telephones_of(NEVER_ANSWERED, 14)
    bulk = await send(running[0].store, numbers, ring_timeout=1)
    await until_is(running[0].store, bulk, {State.DONE: 14})
    assert most_at_once([await telephones.only_call(number) for number in numbers]) == 5
    held = sum(node.traffic.standing()["trunk"].held_by_own_limit for node in running)
    assert held == 14 - 5
    assert all(node.traffic.standing()["trunk"].refused_by_carrier == 0 for node in running)


def most_within(seconds: float, moments: list[float]) -> int:
    """How many of the sorted moments lie within so many seconds, at most."""
    return max(sum(1 for later in moments[first:] if later - moments[first] < seconds) for first in range(len(moments)))


def most_at_once(calls: list[PhoneCall]) -> int:
    """How many calls there were at once, at most; a busy machine's telephone notices late that its call is over."""
    changes = sorted([(call.started, 1) for call in calls] + [(call.ended - NOTICED_LATE, -1) for call in calls])
    level = most = 0
    for _, change in changes:
        level += change
        most = max(most, level)
    return most
