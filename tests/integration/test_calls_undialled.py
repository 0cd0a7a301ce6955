"""What Asterisk does not begin, being stopped or set up wrongly, waits: nobody is called, and no attempt is lost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from structlog.testing import capture_logs

from bridge.asterisk.configuration import Trunk
from bridge.messages.message import Retry
from bridge.messages.progress import State
from bridge.messages.routes import Routes
from bridge.store import TrunkLimit
from tests.integration.conftest import until
from tests.integration.dialer_node import (
    TRUNK,
    Node,
    attempts_to,
    running_node,
    send,
    telephones_of,
    until_is,
    until_true,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.asterisk.ami.link import AmiLink
    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import OpenLink, RunAsterisk, Telephones
    from tests.integration.mortal import Mortal

BUSY, NEVER_ANSWERED, LISTENS_FOR_A_SECOND = "99901", "99902", "99909"
NOWHERE = TrunkLimit("nowhere", calls_per_second=50, max_calls=200)
ONLY_ONCE = Retry(0, 0, 0)

Logs = list[Any]


@pytest.fixture
def logs() -> Iterator[Logs]:
    structlog.reset_defaults()
    with capture_logs() as logs:
        yield logs


async def attempts_of(node: Node, number: str) -> int:
    progress = await node.store.messages.progress("acme", number)
    assert progress is not None
    return progress.attempts


def complaints(logs: Logs) -> Logs:
    """One for each time that an Asterisk was tried in vain, after it had been left alone for a while."""
    return [line for line in logs if line["event"] == "asterisk_does_not_dial"]


async def until_told(logs: Logs, trunk: str) -> str:
    """Why an Asterisk does not dial by a trunk."""

    async def is_told() -> bool:
        return bool(complaints(logs))

    await until_true(is_told)
    line = complaints(logs)[0]
    assert (line["log_level"], line["trunk"]) == ("error", trunk)
    reason: str = line["reason"]
    return reason


async def test_messages_wait_while_their_asterisk_is_being_stopped(
    mortal: Mortal, run_asterisk: RunAsterisk, telephones: Telephones, logs: Logs, tmp_path: Path
) -> None:
    """Afterwards each is called as often as its policy says."""
    numbers = telephones_of(LISTENS_FOR_A_SECOND, 5)
    async with running_node("here", f"sqlite:///{tmp_path / 'test.db'}", tmp_path, [mortal.link]) as node:
        ringing = await send(node.store, telephones_of(NEVER_ANSWERED, 1), ring_timeout=120)
        await until_is(node.store, ringing, {State.RINGING: 1})
        async with mortal.being_stopped():
            bulk = await send(node.store, numbers, retry=ONLY_ONCE)
            assert "shutting down" in await until_told(logs, "trunk")
            await until_is(node.store, bulk, {State.QUEUED: 5})
            assert [await attempts_of(node, number) for number in numbers] == [0] * 5
            assert await node.store.reports.take("acme") == []
            assert len(complaints(logs)) < 5
        with run_asterisk(mortal.asterisk.settings):
            await until_is(node.store, bulk, {State.DONE: 5})
            assert {attempt.status_id for attempt in await attempts_to(node.store, numbers)} == {5}
    for number in numbers:
        await telephones.only_call(number)


async def test_what_an_asterisk_does_not_begin_another_one_does(
    link: AmiLink, mortal: Mortal, telephones: Telephones, logs: Logs, tmp_path: Path
) -> None:
    """Though the one that is being stopped has fewer calls; the other one goes on at the pace of the trunk."""
    url, links = f"sqlite:///{tmp_path / 'test.db'}", [link, mortal.link]
    async with running_node("here", url, tmp_path, links, drain_seconds=0) as node:
        for number in telephones_of(NEVER_ANSWERED, 3):
            ringing = await send(node.store, [number], ring_timeout=120)
            await until_is(node.store, ringing, {State.RINGING: 1})
        async with mortal.being_stopped():
            numbers = telephones_of(BUSY, 20)
            bulk = await send(node.store, numbers, retry=ONLY_ONCE)
            await until_told(logs, "trunk")
            assert node.traffic.standing()["trunk"].calls_per_second == TRUNK.calls_per_second
            await until_is(node.store, bulk, {State.DONE: 20})
            ended = await attempts_to(node.store, numbers)
            assert {(attempt.asterisk, attempt.error_id) for attempt in ended} == {(link.name, 5002)}
            assert len(complaints(logs)) < 5
    for number in numbers:
        await telephones.only_call(number)


async def test_messages_wait_for_a_trunk_that_asterisk_does_not_know(link: AmiLink, logs: Logs, tmp_path: Path) -> None:
    """Those for other trunks do not."""
    url, trunks, routes = (
        f"sqlite:///{tmp_path / 'test.db'}",
        [NOWHERE, TRUNK],
        Routes([("", "nowhere"), (BUSY, "trunk")]),
    )
    async with running_node("here", url, tmp_path, [link], trunks=trunks, routes=routes) as node:
        (number,) = telephones_of(LISTENS_FOR_A_SECOND, 1)
        bulk = await send(node.store, [number], retry=ONLY_ONCE)
        assert "no endpoint" in await until_told(logs, "nowhere")
        others = await send(node.store, telephones_of(BUSY, 5))
        await until_is(node.store, others, {State.DONE: 5})
        await until_is(node.store, bulk, {State.QUEUED: 1})
        assert await attempts_of(node, number) == 0
        assert node.traffic.standing()["nowhere"].calls_per_second < NOWHERE.calls_per_second


async def test_messages_wait_for_a_trunk_that_asterisk_itself_takes_for_unreachable(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, logs: Logs, tmp_path: Path
) -> None:
    """As an operator's own trunk is that answers no OPTIONS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        uri = f"sip:127.0.0.1:{silent.getsockname()[1]}"
        with run_asterisk(replace(new_settings, trunks=[Trunk("nowhere", uri)])) as asterisk:
            file = asterisk.configuration.parent / "voicebridge" / "pjsip-trunk-nowhere.conf"
            file.write_text(file.read_text().replace(f"contact = {uri}", f"contact = {uri}\nqualify_frequency = 1"))
            await asyncio.to_thread(asterisk.console, "module reload res_pjsip.so")
            await asyncio.to_thread(until, lambda: asterisk.console("pjsip show contacts").count("Unavail") == 2, 60)
            link = await open_link(asterisk.url)
            await link.wait_connected()
            url = f"sqlite:///{tmp_path / 'test.db'}"
            async with running_node("here", url, tmp_path / "node", [link], trunks=[NOWHERE]) as node:
                (number,) = telephones_of(LISTENS_FOR_A_SECOND, 1)
                bulk = await send(node.store, [number], retry=ONLY_ONCE)
                assert "qualify_frequency" in await until_told(logs, "nowhere")
                await until_is(node.store, bulk, {State.QUEUED: 1})
                assert await attempts_of(node, number) == 0


async def test_the_next_trunk_takes_a_call_by_a_trunk_that_asterisk_does_not_know(
    link: AmiLink, telephones: Telephones, logs: Logs, tmp_path: Path
) -> None:
    url, routes = f"sqlite:///{tmp_path / 'test.db'}", Routes([("", "nowhere"), ("", "trunk")])
    async with running_node("here", url, tmp_path, [link], trunks=[NOWHERE, TRUNK], routes=routes) as node:
        (number,) = telephones_of(LISTENS_FOR_A_SECOND, 1)
        bulk = await send(node.store, [number])
        await until_is(node.store, bulk, {State.DONE: 1})
        (attempt,) = await attempts_to(node.store, [number])
        assert (attempt.status_id, attempt.trunk) == (5, "trunk")
        assert [(leg.trunk, leg.dialled) for leg in attempt.refused] == [("nowhere", False)]
        assert node.traffic.standing()["nowhere"].calls_per_second == NOWHERE.calls_per_second
    await telephones.only_call(number)
    assert not [line for line in logs if line["log_level"] == "error"]
