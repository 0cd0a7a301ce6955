"""A node as a whole: it is canceled, stopped, superseded, and finds its Asterisks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.messages.progress import State
from bridge.store import TrunkLimit
from tests.integration.dialer_node import (
    Node,
    attempts_to,
    running_node,
    send,
    states,
    telephones_of,
    until_is,
    until_true,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.asterisk.ami.link import AmiLink
    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import OpenLink, RunAsterisk, RunningAsterisk, Telephones

BUSY, NEVER_ANSWERED, LISTENS_FOR_A_SECOND = "99901", "99902", "99909"


@pytest.fixture
async def node(link: AmiLink, database_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node("here", database_url, tmp_path, [link], drain_seconds=0) as node:
        yield node


@pytest.fixture
async def another_link(
    new_settings: AsteriskSettings, run_asterisk: RunAsterisk, open_link: OpenLink
) -> AsyncIterator[AmiLink]:
    """A link to a second Asterisk with the same trunk."""
    with run_asterisk(new_settings) as another:
        await asyncio.to_thread(another.wait_for_console, "pjsip show contacts", "Avail")
        link = await open_link(another.url)
        await link.wait_connected()
        yield link


async def test_a_canceled_bulk_stops_ringing(node: Node, telephones: Telephones) -> None:
    (number,) = telephones_of(NEVER_ANSWERED, 1)
    bulk = await send(node.store, [number], ring_timeout=60)
    await until_is(node.store, bulk, {State.RINGING: 1})
    await node.store.bulks.cancel("acme", bulk)
    await until_is(node.store, bulk, {State.DONE: 1})
    call = await telephones.only_call(number)
    assert (call.ended - call.started).total_seconds() < 30
    (attempt,) = await attempts_to(node.store, [number])
    assert (attempt.status_id, attempt.error_id) == (9, 5487)


async def test_a_stop_gives_back_what_was_not_dialled_and_dials_nothing_more(
    link: AmiLink, database_url: str, telephones: Telephones, tmp_path: Path
) -> None:
    numbers = telephones_of(BUSY, 200)
    async with running_node("here", database_url, tmp_path, [link], trunks=[TrunkLimit("trunk", 20, 200)]) as node:
        bulk = await send(node.store, numbers)
        await node.until_settled(5)
        stopped_at = datetime.now(UTC)
        await node.dialer.drain(30)
        assert all(attempt.dialled_at <= stopped_at for attempt in node.attempts)
        dialled = {attempt.to for attempt in node.attempts}
        waiting = set(numbers) - dialled
        assert await states(node.store, bulk) == {State.DONE: len(dialled), State.QUEUED: len(waiting)}
        for number in waiting:
            assert await node.store.messages.attempts("acme", number) == []

    async def exactly_they_rang() -> bool:
        return {call.number for call in telephones.calls()} & set(numbers) == dialled

    await until_true(exactly_they_rang)


async def test_a_stop_lets_calls_end_and_hangs_up_those_that_outlast_the_time(
    link: AmiLink, database_url: str, telephones: Telephones, tmp_path: Path
) -> None:
    (short,), (long,) = telephones_of(LISTENS_FOR_A_SECOND, 1), telephones_of(NEVER_ANSWERED, 1)
    async with running_node("here", database_url, tmp_path, [link]) as node:
        bulk = await send(node.store, [short, long], ring_timeout=40)
        await node.until_calls("trunk", 2)
        await node.dialer.drain(3)
        assert await states(node.store, bulk) == {State.DONE: 2}
    assert (await telephones.only_call(short)).answered
    call = await telephones.only_call(long)
    assert 2.5 < (call.ended - call.started).total_seconds() < 30


async def test_a_node_whose_name_is_taken_dials_no_more_and_lets_its_calls_go_on(
    link: AmiLink, asterisk: RunningAsterisk, open_link: OpenLink, tmp_path: Path
) -> None:
    database_url = f"sqlite:///{tmp_path / 'test.db'}"
    (ringing,) = telephones_of(NEVER_ANSWERED, 1)
    async with running_node("here", database_url, tmp_path / "old", [link]) as old:
        bulk = await send(old.store, [ringing], ring_timeout=8)
        await until_is(old.store, bulk, {State.RINGING: 1})
        second = await open_link(asterisk.url)
        await second.wait_connected()
        async with running_node("here", database_url, tmp_path / "new", [second]) as new:
            later = await send(old.store, telephones_of(BUSY, 10))
            await until_is(new.store, later, {State.DONE: 10})
            await new.until_settled(10)
            async with asyncio.timeout(30):
                await old.superseded.wait()
            await old.until_settled(1)
            assert [attempt.to for attempt in old.attempts] == [ringing]


async def test_calls_go_to_the_asterisk_that_is_connected_and_has_fewest(
    link: AmiLink, another_link: AmiLink, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    async with running_node("here", url, tmp_path, [link, another_link]) as node:
        numbers = telephones_of(NEVER_ANSWERED, 20)
        ringing = await send(node.store, numbers[:10], ring_timeout=10)
        await until_is(node.store, ringing, {State.RINGING: 10})
        await until_is(node.store, await send(node.store, numbers[10:], ring_timeout=3), {State.DONE: 10})
        await until_is(node.store, ringing, {State.DONE: 10})
        used = {attempt.asterisk for attempt in await attempts_to(node.store, numbers)}
        assert used == {link.name, another_link.name}
        await another_link.close()
        numbers = telephones_of(BUSY, 10)
        await until_is(node.store, await send(node.store, numbers), {State.DONE: 10})
        assert {attempt.asterisk for attempt in await attempts_to(node.store, numbers)} == {link.name}
