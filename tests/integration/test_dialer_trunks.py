"""Several trunks on one node: each has its own work, limits and troubles."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.configuration import Trunk
from bridge.messages.progress import State
from bridge.messages.routes import Routes
from bridge.store import TrunkLimit
from tests.integration.conftest import asterisk_settings, running_asterisk
from tests.integration.dialer_node import Node, attempts_to, running_node, send, telephones_of, until_is, until_true
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.lab.programs import Program
    from tests.integration.conftest import OpenLink, RunningAsterisk, Telephones

BUSY, NEVER_ANSWERED, TRUNK_FAILS, LISTENS_FOR_A_SECOND = "99901", "99902", "99906", "99909"
MAIN = TrunkLimit("main", calls_per_second=20, max_calls=1)
OTHER = TrunkLimit("other", calls_per_second=40, max_calls=50)
DEAD = TrunkLimit("dead", calls_per_second=20, max_calls=50)
ROUTES = Routes(
    [
        (NEVER_ANSWERED, "main"),
        (BUSY, "other"),
        (TRUNK_FAILS, "other"),
        (LISTENS_FOR_A_SECOND, "dead"),
        (LISTENS_FOR_A_SECOND, "other"),
    ]
)


@pytest.fixture(scope="module")
def trunks(
    program: Program, telephones: Telephones, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAsterisk]:
    """An Asterisk with two trunks to the carrier, and one to where nothing answers."""
    carrier = f"sip:127.0.0.1:{telephones.carrier.sip_port}"
    nobody = f"sip:127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    settings = replace(
        asterisk_settings(program, telephones, tmp_path_factory.mktemp("trunks")),
        trunks=[Trunk("main", carrier), Trunk("other", carrier), Trunk("dead", nobody)],
    )
    with running_asterisk(program, settings) as running:
        yield running


@pytest.fixture
async def node(trunks: RunningAsterisk, open_link: OpenLink, tmp_path: Path) -> AsyncIterator[Node]:
    link = await open_link(trunks.url)
    await link.wait_connected()
    url = f"sqlite:///{tmp_path / 'test.db'}"
    limits = [MAIN, OTHER, DEAD]
    async with running_node("here", url, tmp_path, [link], trunks=limits, routes=ROUTES, drain_seconds=0) as node:
        yield node


async def test_a_full_trunk_delays_no_message_of_another_one(node: Node) -> None:
    await send(node.store, telephones_of(NEVER_ANSWERED, 30), ring_timeout=60)
    await node.until_calls("main", 1)
    numbers = telephones_of(BUSY, 20)
    await until_is(node.store, await send(node.store, numbers), {State.DONE: 20})
    assert node.traffic.standing()["main"].calls == 1
    attempts = await attempts_to(node.store, numbers)
    waits = [(attempt.dialled_at - attempt.queued_at).total_seconds() for attempt in attempts]
    assert max(waits) < 20


async def test_a_trunk_that_refuses_every_call_is_called_more_slowly(node: Node) -> None:
    bulk = await send(node.store, telephones_of(BUSY, 3))
    await until_is(node.store, bulk, {State.DONE: 3})
    assert node.traffic.standing()["other"].refused_by_carrier == 0
    bulk = await send(node.store, telephones_of(TRUNK_FAILS, 8))
    await until_is(node.store, bulk, {State.DONE: 8})
    standing = node.traffic.standing()
    assert standing["other"].refused_by_carrier == 8
    assert standing["other"].calls_per_second < OTHER.calls_per_second * 0.7
    assert (standing["main"].refused_by_carrier, standing["main"].calls_per_second) == (0, MAIN.calls_per_second)


async def test_a_trunk_that_answers_neither_options_nor_a_call_is_left_at_once(
    node: Node, telephones: Telephones
) -> None:
    async def is_known_to_be_dead() -> bool:
        return node.watch.standing("dead").qualify == "unreachable"

    await until_true(is_known_to_be_dead)
    first = telephones_of(LISTENS_FOR_A_SECOND, 1)
    await until_is(node.store, await send(node.store, first), {State.DONE: 1})
    (attempt,) = await attempts_to(node.store, first)
    assert [leg.trunk for leg in attempt.refused] == ["dead"]
    numbers = telephones_of(LISTENS_FOR_A_SECOND, 5)
    bulk = await send(node.store, numbers)
    await until_is(node.store, bulk, {State.DONE: 5})
    for number in numbers:
        await telephones.only_call(number)
    attempts = await attempts_to(node.store, numbers)
    assert {attempt.trunk for attempt in attempts} == {"other"}
    assert all(not attempt.refused for attempt in attempts)
