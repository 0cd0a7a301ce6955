"""What is to be played is heard once and whole, wherever the link is cut."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.lab.processes import until
from bridge.telephony.events import CallEvent, Ended, Origination, PlaybackEnded, Ready, Ringing
from bridge.telephony.records import Record

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.integration.conftest import AmiProxy, OpenLink, Telephones

TONES = (b"\x55", b"\x66")
TONE_SAMPLES, TONE_SECONDS = 16_000, 2.0
SILENCE_SECONDS = 20.0


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


async def placed(switchboard: Switchboard, number: str, until_it: type[CallEvent]) -> AsteriskChannel:
    """A call of which so much was told."""
    call = await switchboard.place(Origination(secrets.token_hex(8), number, "trunk", ring_timeout=15))
    await told(call, until_it)
    return call


async def told(call: AsteriskChannel, kind: type[CallEvent]) -> CallEvent:
    """The first event of that kind."""
    async with asyncio.timeout(20):
        async for event in call.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the call ended without {kind.__name__}")


async def end(call: AsteriskChannel) -> None:
    await call.hang_up()
    await told(call, Ended)


@dataclass
class Talk:
    """A call that was answered, over a link that can be cut, and the stems of two prompts and of silence."""

    call: AsteriskChannel
    number: str
    link: AmiLink
    proxy: AmiProxy
    telephones: Telephones
    first: str
    second: str
    silence: str

    async def listen(self) -> None:
        """Have silence played, and wait until it is heard."""
        self.call.fill_with(self.silence, SILENCE_SECONDS)
        self.call.send_silence()
        folder = self.telephones.carrier.heard_dir / self.number
        assert await asyncio.to_thread(until, lambda: any(file.stat().st_size for file in folder.glob("*")), 30)

    async def cut(self) -> None:
        """Leave the link without Asterisk until ``proxy.refusing`` is taken back."""
        self.proxy.refusing = True
        self.proxy.cut()
        async with asyncio.timeout(30):
            while self.link.connected:  # noqa: ASYNC110 - the link says only when it is there
                await asyncio.sleep(0)

    async def heard(self) -> list[int]:
        """How much the telephone has heard of each of the prompts, in samples."""
        await end(self.call)
        phone = await self.telephones.only_call(self.number)
        assert phone.heard
        return [phone.heard.read_bytes().count(sample) for sample in TONES]


@pytest.fixture
async def link(proxy: AmiProxy, open_link: OpenLink) -> AmiLink:
    """A link through the proxy."""
    return await open_link(proxy.url)


@pytest.fixture
async def switchboard(link: AmiLink, journal: Journal) -> Switchboard:
    switchboard = Switchboard(link, journal)
    await link.wait_connected()
    return switchboard


@pytest.fixture
async def talk(
    switchboard: Switchboard, link: AmiLink, proxy: AmiProxy, telephones: Telephones, tmp_path: Path
) -> AsyncIterator[Talk]:
    files = {"first": TONES[0] * TONE_SAMPLES, "second": TONES[1] * TONE_SAMPLES}
    files["silence"] = b"\xff" * int(8000 * SILENCE_SECONDS)
    for name, sound in files.items():
        (tmp_path / f"{name}.ulaw").write_bytes(sound)
    number = own("99900")
    call = await placed(switchboard, number, Ready)
    yield Talk(call, number, link, proxy, telephones, **{name: str(tmp_path / name) for name in files})
    await call.hang_up()


@pytest.mark.parametrize("listens", [True, False], ids=["listens", "idle"])
async def test_what_is_to_be_played_without_a_link_is_played_when_there_is_one_again(talk: Talk, listens: bool) -> None:
    if listens:
        await talk.listen()
    begun: list[str] = []
    await talk.cut()
    await talk.call.play(talk.first, begun=lambda: begun.append("it"))
    assert begun == []
    talk.proxy.refusing = False
    played = await told(talk.call, PlaybackEnded)
    assert played == PlaybackEnded(played.at, complete=True)
    assert begun == ["it"]
    assert await talk.heard() == [TONE_SAMPLES, 0]


async def test_what_is_stopped_without_a_link_is_not_played_afterwards(talk: Talk) -> None:
    await talk.cut()
    await talk.call.play(talk.first)
    await talk.call.stop()
    played = await told(talk.call, PlaybackEnded)
    assert played == PlaybackEnded(played.at, complete=False)
    talk.proxy.refusing = False
    await talk.link.wait_connected()
    await talk.call.play(talk.second)
    await told(talk.call, PlaybackEnded)
    assert await talk.heard() == [0, TONE_SAMPLES]


@pytest.mark.parametrize("listens", [True, False], ids=["listens", "idle"])
@pytest.mark.parametrize("arrives", [True, False], ids=["the order arrives", "the order is lost"])
async def test_a_prompt_is_heard_once_though_the_link_is_cut_as_it_begins(
    talk: Talk, arrives: bool, listens: bool
) -> None:
    if listens:
        await talk.listen()
    if arrives:
        talk.proxy.cut_after = b"STREAM FILE"
    else:
        talk.proxy.cut_before = b"STREAM FILE"
    begun: list[str] = []
    await talk.call.play(talk.first, seconds=TONE_SECONDS, begun=lambda: begun.append("it"))
    played = await told(talk.call, PlaybackEnded)
    assert played == PlaybackEnded(played.at, complete=True)
    assert begun == ["it"]
    assert await talk.heard() == [TONE_SAMPLES, 0]


async def test_a_prompt_that_followed_silence_is_not_taken_for_it(talk: Talk) -> None:
    await talk.listen()
    await talk.call.play(talk.first, stop_keys="1")
    talk.proxy.cut()
    await told(talk.call, PlaybackEnded)
    await talk.call.play(talk.second)
    await told(talk.call, PlaybackEnded)
    assert await talk.heard() == [TONE_SAMPLES, TONE_SAMPLES]


async def test_a_prompt_begun_while_calls_are_being_reconciled_is_played_whole(
    talk: Talk, switchboard: Switchboard, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel was seen playing silence, and the journal is still being read for another call, which rings."""
    await talk.listen()
    other = await placed(switchboard, own("99902"), Ringing)
    read, is_read, may_go_on = journal.read, asyncio.Event(), asyncio.Event()

    async def read_slowly(channel_ids: Collection[str], since: datetime) -> dict[str, Record]:
        if channel_ids:
            is_read.set()
            await may_go_on.wait()
        return await read(channel_ids, since)

    monkeypatch.setattr(journal, "read", read_slowly)
    talk.proxy.cut()
    await is_read.wait()
    await talk.call.play(talk.first, stop_keys="1")
    may_go_on.set()
    await told(talk.call, PlaybackEnded)
    await talk.call.play(talk.second)
    await told(talk.call, PlaybackEnded)
    await end(other)
    assert await talk.heard() == [TONE_SAMPLES, TONE_SAMPLES]
