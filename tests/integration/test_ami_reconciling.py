"""Nobody is called twice and no call is left open, wherever the link is cut."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.telephony.causes import outcome_of
from bridge.telephony.events import Answered, CallEvent, Ended, Origination, PlaybackEnded, Ready, Ringing

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import AmiProxy, OpenLink, RunAsterisk, Telephones


def to(number: str) -> Origination:
    return Origination(secrets.token_hex(8), number, "trunk", ring_timeout=8)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


async def heard_until(call: AsteriskChannel, last: type[CallEvent]) -> list[CallEvent]:
    """The events up to the first of that kind."""
    events = []
    async with asyncio.timeout(20):
        async for event in call.events():
            events.append(event)
            if isinstance(event, last):
                break
    return events


def originates(proxy: AmiProxy) -> int:
    return proxy.said.count(b"Action: Originate\r\n")


@pytest.fixture
async def link(proxy: AmiProxy, open_link: OpenLink) -> AmiLink:
    """A link through the proxy."""
    return await open_link(proxy.url)


@pytest.fixture
async def switchboard(link: AmiLink, journal: Journal) -> Switchboard:
    switchboard = Switchboard(link, journal)
    await link.wait_connected()
    return switchboard


async def cut_for_longer(proxy: AmiProxy, link: AmiLink) -> None:
    """Leave the link without Asterisk until ``proxy.refusing`` is taken back."""
    proxy.refusing = True
    proxy.cut()
    await lost(link)


async def lost(link: AmiLink) -> None:
    async with asyncio.timeout(30):
        while link.connected:  # noqa: ASYNC110 - the link says only when it is there
            await asyncio.sleep(0)


async def test_a_link_cut_before_the_originate_arrived_ends_the_call_undialled(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones
) -> None:
    proxy.cut_before = b"Action: Originate"
    number = own("99900")
    (ended,) = await heard_until(await switchboard.place(to(number)), Ended)
    assert isinstance(ended, Ended)
    assert ended.lost
    assert outcome_of(ended, answered=False) == (22, 5500)
    assert originates(proxy) == 0
    assert telephones.calls(number) == []


async def test_a_link_cut_after_the_originate_arrived_rings_once_and_the_call_goes_on(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones, speech: Path
) -> None:
    proxy.cut_after = b"Action: Originate"
    number = own("99900")
    call = await switchboard.place(to(number))
    await heard_until(call, Ready)
    await call.play(str(speech))
    (played,) = await heard_until(call, PlaybackEnded)
    assert played == PlaybackEnded(played.at, complete=True)
    await call.hang_up()
    (ended,) = await heard_until(call, Ended)
    assert isinstance(ended, Ended)
    assert not ended.lost
    assert originates(proxy) == 1
    phone = await telephones.only_call(number)
    assert phone.heard
    assert phone.heard.read_bytes() == speech.with_suffix(".ulaw").read_bytes()


async def test_an_answer_that_came_while_there_was_no_link_is_learnt_afterwards(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones
) -> None:
    number = own("999301")
    call = await switchboard.place(to(number))
    assert [type(event) for event in await heard_until(call, Ringing)] == [Ringing]
    await cut_for_longer(proxy, link)
    await telephones.answered(number)
    proxy.refusing = False
    assert [type(event) for event in await heard_until(call, Ready)] == [Answered, Ready]
    await call.hang_up()
    await heard_until(call, Ended)


async def test_an_end_that_came_while_there_was_no_link_is_learnt_afterwards(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones
) -> None:
    number = own("99909")
    call = await switchboard.place(to(number))
    await heard_until(call, Ready)
    await cut_for_longer(proxy, link)
    await telephones.only_call(number)
    proxy.refusing = False
    (ended,) = await heard_until(call, Ended)
    assert isinstance(ended, Ended)
    assert not ended.lost
    assert (ended.by, ended.cause) == ("callee", 16)
    assert (datetime.now(UTC) - ended.at).total_seconds() > 0.5


async def test_a_playback_that_ended_while_there_was_no_link_is_learnt_afterwards(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones, speech: Path
) -> None:
    call = await switchboard.place(to(own("99900")))
    await heard_until(call, Ready)
    await call.play(str(speech))
    proxy.cut()
    (played,) = await heard_until(call, PlaybackEnded)
    assert isinstance(played, PlaybackEnded)
    await call.hang_up()
    await heard_until(call, Ended)


async def test_a_hang_up_without_a_link_is_done_when_there_is_one_again(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones
) -> None:
    number = own("99900")
    call = await switchboard.place(to(number))
    await heard_until(call, Ready)
    await cut_for_longer(proxy, link)
    await call.hang_up()
    proxy.refusing = False
    (ended,) = await heard_until(call, Ended)
    assert isinstance(ended, Ended)
    assert ended.by == "caller"
    await telephones.only_call(number)


async def test_calls_end_with_an_asterisk_that_dies_and_the_next_are_placed_on_its_successor(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, journal: Journal
) -> None:
    with run_asterisk(new_settings) as asterisk:
        asterisk.wait_for_console("pjsip show contacts", "Avail")
        link = await open_link(asterisk.url)
        switchboard = Switchboard(link, journal)
        await link.wait_connected()
        call = await switchboard.place(to(own("99900")))
        await heard_until(call, Ready)
    await lost(link)
    with run_asterisk(new_settings) as asterisk:
        asterisk.wait_for_console("pjsip show contacts", "Avail")
        await heard_until(call, Ended)
        await link.wait_connected()
        call = await switchboard.place(to(own("99900")))
        await heard_until(call, Ready)
        await call.hang_up()
        await heard_until(call, Ended)
