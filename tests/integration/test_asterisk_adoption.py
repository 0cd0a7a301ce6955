"""Calls that go on while the process that placed them is gone, and a second one that takes them over."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.lab.processes import until
from bridge.telephony.errors import LinkDown
from bridge.telephony.events import (
    Answered,
    CallEvent,
    Detected,
    Ended,
    GreetingOver,
    KeyPressed,
    Origination,
    PlaybackEnded,
    Ready,
    RecordingEnded,
    Ringing,
    TransferAnswered,
    TransferOrder,
    TransferOver,
)
from tests.recorded import LOST_ON_A_BUSY_MACHINE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import OpenLink, RunningAsterisk, Telephones

ALL_KEYS = "1234567890*#"
SILENCE_SECONDS = 20.0
BEFORE = datetime.now(UTC)
"""All calls are placed after it."""

_Event = TypeVar("_Event", bound=CallEvent)
Adopt = Callable[[Origination], Awaitable[AsteriskChannel]]


def to(number: str, call_timeout: int | None = None) -> Origination:
    return Origination(secrets.token_hex(8), number, "trunk", ring_timeout=15, call_timeout=call_timeout)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


async def heard_until(call: AsteriskChannel, last: type[_Event], seconds: float = 10) -> _Event:
    """The first event of that kind."""
    async with asyncio.timeout(seconds):
        async for event in call.events():
            if isinstance(event, last):
                return event
    raise AssertionError(f"the call ended without {last.__name__}")


async def next_kinds(call: AsteriskChannel, count: int) -> list[type[CallEvent]]:
    kinds: list[type[CallEvent]] = []
    async with asyncio.timeout(10):
        async for event in call.events():
            kinds.append(type(event))
            if len(kinds) == count:
                break
    return kinds


async def end(call: AsteriskChannel) -> None:
    await call.hang_up()
    assert (await heard_until(call, Ended)).by == "caller"


@pytest.fixture
async def first_link(asterisk: RunningAsterisk, open_link: OpenLink) -> AmiLink:
    link = await open_link(asterisk.url)
    await link.wait_connected()
    return link


@pytest.fixture
async def first(first_link: AmiLink, journal: Journal) -> Switchboard:
    """That of the process that places the calls."""
    return Switchboard(first_link, journal)


@pytest.fixture
def second(link: AmiLink, journal: Journal) -> Switchboard:
    """That of the process that comes after it."""
    return Switchboard(link, journal)


@pytest.fixture
def adopt(first_link: AmiLink, second: Switchboard) -> Adopt:
    """Has the first process die, and the second take over its one call."""

    async def adopt(origination: Origination) -> AsteriskChannel:
        await first_link.close()
        calls = await second.adopt([origination], BEFORE)
        return calls[origination.channel_id]

    return adopt


@pytest.fixture
def silence(tmp_path: Path) -> str:
    """The stem of a file that is longer than any test waits."""
    (tmp_path / "silence.ulaw").write_bytes(b"\xff" * int(8000 * SILENCE_SECONDS))
    return str(tmp_path / "silence")


async def test_a_ringing_call_is_followed_to_its_answer_and_its_end(
    first: Switchboard, adopt: Adopt, telephones: Telephones
) -> None:
    origination = to(own("999302"))
    await heard_until(await first.place(origination), Ringing)
    call = await adopt(origination)
    assert await next_kinds(call, 3) == [Ringing, Answered, Ready]
    await end(call)
    await telephones.only_call(origination.number)


async def test_an_adopted_call_on_which_nothing_is_done_is_played_the_whole_prompt(
    first: Switchboard, first_link: AmiLink, adopt: Adopt, telephones: Telephones, tmp_path: Path
) -> None:
    """Silence might be played, so it is stopped first; this channel is busy, and comes to that stop late."""
    for name, sample in (("before", b"\x55"), ("after", b"\x66")):
        (tmp_path / f"{name}.ulaw").write_bytes(sample * 8000)
    os.mkfifo(tmp_path / "busy")
    origination = to(own("99900"))
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    await placed.play(str(tmp_path / "before"))
    await first_link.send(
        "AGI", Channel=origination.channel_id, Command=f"GET FULL VARIABLE ${{FILE({tmp_path / 'busy'})}}"
    )
    await heard_until(placed, PlaybackEnded)
    call = await adopt(origination)
    await call.play(str(tmp_path / "after"))
    await asyncio.to_thread(lambda: (tmp_path / "busy").open("wb").close())  # no longer
    assert (await heard_until(call, PlaybackEnded)).complete
    await end(call)
    phone = await telephones.only_call(origination.number)
    assert phone.heard is not None
    assert phone.heard.read_bytes().count(b"\x66") == 8000


async def test_a_prompt_and_the_silence_behind_it_give_way_to_what_nobody_knows_was_begun(
    first: Switchboard, adopt: Adopt, telephones: Telephones, tmp_path: Path, silence: str
) -> None:
    """The first process did not live to write down that it had begun."""
    for name, sample, seconds in (("before", b"\x55", 20), ("after", b"\x66", 1)):
        (tmp_path / f"{name}.ulaw").write_bytes(sample * 8000 * seconds)
    origination = to(own("99900"))
    placed = await first.place(origination)
    placed.fill_with(silence, SILENCE_SECONDS)
    await heard_until(placed, Ready)
    await placed.play(str(tmp_path / "before"), stop_keys=ALL_KEYS)
    call = await adopt(origination)
    await call.play(str(tmp_path / "after"))
    assert (await heard_until(call, PlaybackEnded, seconds=5)).complete
    await end(call)
    phone = await telephones.only_call(origination.number)
    assert phone.heard is not None
    assert phone.heard.read_bytes().count(b"\x66") == 8000


async def test_an_adopted_call_tells_when_it_was_answered_and_keeps_its_limit(first: Switchboard, adopt: Adopt) -> None:
    """The limit counts from the answer, and is renewed with each command."""
    origination = to(own("99900"), call_timeout=4)
    answered = await heard_until(await first.place(origination), Answered)
    await asyncio.to_thread(until, lambda: (datetime.now(UTC) - answered.at).total_seconds() > 1.5, 5)
    call = await adopt(origination)
    adopted = await heard_until(call, Answered)
    assert abs((adopted.at - answered.at).total_seconds()) < 0.2
    await call.adopt_playing()
    ended = await heard_until(call, Ended)
    assert ended.by == "caller"
    assert 3.5 < (ended.at - answered.at).total_seconds() < 4.9


async def test_a_prompt_under_way_is_heard_to_its_end_and_the_next_follows(
    first: Switchboard, adopt: Adopt, telephones: Telephones, speech: Path
) -> None:
    origination = to(own("99900"))
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    await placed.play(str(speech))
    call = await adopt(origination)
    await call.adopt_playing()
    assert (await heard_until(call, PlaybackEnded)).complete
    await call.play(str(speech))
    assert (await heard_until(call, PlaybackEnded)).complete
    await end(call)
    phone = await telephones.only_call(origination.number)
    assert phone.heard
    assert phone.heard.read_bytes() == 2 * speech.with_suffix(".ulaw").read_bytes()


async def test_a_prompt_that_ended_meanwhile_is_over_at_once_though_silence_follows_it(
    first: Switchboard, adopt: Adopt, asterisk: RunningAsterisk, speech: Path, silence: str
) -> None:
    origination = to(own("99907"))
    placed = await first.place(origination)
    placed.fill_with(silence, SILENCE_SECONDS)
    await heard_until(placed, Ready)
    await placed.play(str(speech), stop_keys=ALL_KEYS)
    await heard_until(placed, PlaybackEnded)
    call = await adopt(origination)
    call.fill_with(silence, SILENCE_SECONDS)
    await call.adopt_playing()
    assert (await heard_until(call, PlaybackEnded, seconds=1)).complete
    await end(call)


async def test_a_stop_key_ends_an_adopted_prompt_which_is_no_longer_complete(
    first: Switchboard, adopt: Adopt, speech: Path
) -> None:
    origination = to("99911011")
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    await placed.play(str(speech), stop_keys=ALL_KEYS)
    call = await adopt(origination)
    await call.adopt_playing()
    assert (await heard_until(call, KeyPressed)).digit == "1"
    await call.stop(by_key=True)
    assert not (await heard_until(call, PlaybackEnded)).complete
    await end(call)


async def test_a_listening_call_hears_every_key_and_answers_it_at_once(
    first: Switchboard, adopt: Adopt, telephones: Telephones, speech: Path, silence: str
) -> None:
    """The silence that the first process left gives way to the prompt of the second."""
    origination = to("9991301939292")
    placed = await first.place(origination)
    placed.fill_with(silence, SILENCE_SECONDS)
    await heard_until(placed, Ready)
    placed.send_silence()
    call = await adopt(origination)
    call.fill_with(silence, SILENCE_SECONDS)
    call.send_silence()
    assert (await heard_until(call, KeyPressed)).digit == "1"
    await call.play(str(speech), stop_keys=ALL_KEYS)
    played = await heard_until(call, PlaybackEnded, seconds=3)
    assert played.complete or await heard_until(call, KeyPressed)
    await end(call)
    phone = await telephones.only_call(origination.number)
    assert phone.heard


async def test_keys_pressed_while_a_call_is_being_adopted_are_told_after_its_answer(
    first: Switchboard, first_link: AmiLink, second: Switchboard
) -> None:
    """Adoption waits a second for the channel of another call, which never comes."""
    origination = to("9991004321")
    await heard_until(await first.place(origination), Ready)
    await first_link.close()
    calls = await second.adopt([origination, to(own("99900"))], BEFORE)
    assert list(calls) == [origination.channel_id]
    call = calls[origination.channel_id]
    kinds = await next_kinds(call, 4)
    assert kinds[:2] == [Answered, Ready]
    assert KeyPressed in kinds
    await end(call)


async def test_a_recording_under_way_is_told_when_it_is_over(first: Switchboard, adopt: Adopt, tmp_path: Path) -> None:
    origination = to(own("99923"))
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    await placed.record(str(tmp_path / "said"), stop_keys="#", seconds=3, silence=None)
    call = await adopt(origination)
    await call.adopt_recording()
    assert (await heard_until(call, RecordingEnded)).seconds == pytest.approx(3, abs=LOST_ON_A_BUSY_MACHINE)
    assert (tmp_path / "said.wav").stat().st_size == pytest.approx(3 * 16_000, abs=16_000 * LOST_ON_A_BUSY_MACHINE)
    await end(call)


async def test_a_transfer_that_is_ringing_is_told_from_its_answer_to_its_end(first: Switchboard, adopt: Adopt) -> None:
    origination = to(own("99923"))
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    agent = own("999301")
    await placed.transfer(TransferOrder((agent,), ring_seconds=8, max_seconds=2))
    call = await adopt(origination)
    await call.adopt_transfer(joined_at=None)
    await heard_until(call, TransferAnswered)
    over = await heard_until(call, TransferOver)
    assert (over.result, over.number) == ("answered", agent)
    assert over.seconds == pytest.approx(2, abs=0.5)
    await end(call)


async def test_a_transfer_that_was_answered_before_is_told_when_it_is_over(first: Switchboard, adopt: Adopt) -> None:
    origination = to(own("99923"))
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    await placed.transfer(TransferOrder((own("99923"),), ring_seconds=8, max_seconds=3))
    joined = await heard_until(placed, TransferAnswered)
    call = await adopt(origination)
    assert await next_kinds(call, 2) == [Answered, Ready]
    await call.adopt_transfer(joined_at=joined.at)
    over = await heard_until(call, TransferOver)
    assert over.result == "answered"
    assert over.seconds == pytest.approx(3, abs=0.5)
    await end(call)


async def test_the_detector_under_way_still_tells_who_answered(first: Switchboard, adopt: Adopt) -> None:
    origination = to(own("99908"))
    placed = await first.place(origination)
    await heard_until(placed, Ready)
    await placed.detect_machine()
    call = await adopt(origination)
    await call.adopt_detection()
    assert (await heard_until(call, Detected)).answered_by == "machine"
    await call.await_greeting_end()
    await heard_until(call, GreetingOver)
    await end(call)


async def test_what_has_ended_or_was_never_dialled_is_not_adopted(
    first: Switchboard, second: Switchboard, journal: Journal
) -> None:
    ended, never = to(own("99901")), to(own("99900"))
    await heard_until(await first.place(ended), Ended)
    assert await second.adopt([ended, never], BEFORE) == {}
    assert second.live_calls == 0
    assert list(await journal.read([ended.channel_id, never.channel_id])) == [ended.channel_id]


async def test_a_call_that_is_followed_already_goes_on_as_the_same(first: Switchboard) -> None:
    origination = to(own("99900"))
    placed = await first.place(origination)
    assert await first.adopt([origination], BEFORE) == {placed.id: placed}
    await heard_until(placed, Ready)
    await end(placed)


async def test_nothing_is_adopted_without_a_link(asterisk: RunningAsterisk, journal: Journal) -> None:
    with pytest.raises(LinkDown):
        await Switchboard(AmiLink(asterisk.url), journal).adopt([to("99900")], BEFORE)
