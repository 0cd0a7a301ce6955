"""What an attempt brings, on a real Asterisk with real SIP and RTP to the lab's telephones."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.telephony.causes import outcome_of
from bridge.telephony.errors import LinkDown, UnsafeValue
from bridge.telephony.events import Answered, CallEvent, Ended, KeyPressed, Origination, PlaybackEnded, Ready, Ringing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import RunningAsterisk, Telephones

KEYS = "0123456789*#"


@dataclass
class Course:
    """The events of one call, and when each came."""

    events: list[CallEvent] = field(default_factory=list)

    @property
    def kinds(self) -> list[type[CallEvent]]:
        return [type(event) for event in self.events]

    @property
    def ended(self) -> Ended:
        assert isinstance(self.events[-1], Ended)
        return self.events[-1]

    @property
    def outcome(self) -> tuple[int, int]:
        return outcome_of(self.ended, answered=Answered in self.kinds)

    @property
    def keys(self) -> str:
        return "".join(event.digit for event in self.events if isinstance(event, KeyPressed))


React = Callable[[AsteriskChannel, CallEvent], Awaitable[None]]


async def nothing(_call: AsteriskChannel, _event: CallEvent) -> None: ...


async def hang_up_when_ready(call: AsteriskChannel, event: CallEvent) -> None:
    if isinstance(event, Ready):
        await call.hang_up()


async def follow(call: AsteriskChannel, react: React = nothing, seconds: float = 20) -> Course:
    course = Course()
    async with asyncio.timeout(seconds):
        async for event in call.events():
            course.events.append(event)
            await react(call, event)
    return course


def to(number: str, *, ring_timeout: int = 10, call_timeout: int | None = None) -> Origination:
    attempt = secrets.token_hex(8)
    return Origination(attempt, number, "trunk", "38512345", ring_timeout=ring_timeout, call_timeout=call_timeout)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


@pytest.fixture
def switchboard(link: AmiLink, journal: Journal) -> Switchboard:
    return Switchboard(link, journal)


@pytest.mark.parametrize(
    ("prefix", "sip_status", "error"),
    [
        ("99901", 486, 5002),
        ("99903", 603, 5603),
        ("99904", 404, 5404),
        ("99905", 480, 5480),
        ("99906", 503, 5503),
    ],
)
async def test_a_refused_call_ends_with_the_status_of_the_wire(
    switchboard: Switchboard, prefix: str, sip_status: int, error: int
) -> None:
    course = await follow(await switchboard.place(to(own(prefix))))
    assert course.ended.sip_status == sip_status
    assert course.ended.by == "callee"
    assert course.outcome == (15, error)
    assert Answered not in course.kinds


async def test_ringing_stops_on_the_telephone_when_the_ring_time_is_over(
    switchboard: Switchboard, telephones: Telephones
) -> None:
    number = own("99902")
    course = await follow(await switchboard.place(to(number, ring_timeout=2)))
    assert course.kinds == [Ringing, Ended]
    assert course.ended.timed_out
    assert course.ended.by == "caller"
    assert course.outcome == (15, 5003)
    rang = await telephones.only_call(number)
    assert 1.8 < (rang.ended - rang.started).total_seconds() < 10


async def test_hanging_up_before_the_answer_stops_the_ringing(switchboard: Switchboard, telephones: Telephones) -> None:
    async def cancel(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ringing):
            await call.hang_up()

    number = own("99902")
    course = await follow(await switchboard.place(to(number, ring_timeout=30)), cancel)
    assert course.outcome == (15, 5003)
    assert course.ended.by == "caller"
    rang = await telephones.only_call(number)
    assert (rang.ended - rang.started).total_seconds() < 15


async def test_hanging_up_at_once_leaves_nothing_ringing(switchboard: Switchboard, asterisk: RunningAsterisk) -> None:
    call = await switchboard.place(to(own("99902")))
    await call.hang_up()
    course = await follow(call)
    assert course.ended.by == "caller"
    assert call.id not in asterisk.console("core show channels concise")


async def test_a_telephone_hears_the_file_bit_for_bit(
    switchboard: Switchboard, telephones: Telephones, speech: Path
) -> None:
    async def speak(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ready):
            await call.play(str(speech))
        if isinstance(event, PlaybackEnded):
            await call.hang_up()

    number = own("99900")
    course = await follow(await switchboard.place(to(number)), speak)
    assert course.kinds == [Ringing, Answered, Ready, PlaybackEnded, Ended]
    assert course.events[3] == PlaybackEnded(course.events[3].at, complete=True)
    assert course.ended.by == "caller"
    assert course.outcome == (5, 5000)
    phone = await telephones.only_call(number)
    assert phone.caller_id == "38512345"
    assert phone.heard
    assert phone.heard.read_bytes() == speech.with_suffix(".ulaw").read_bytes()


@pytest.mark.alone
async def test_a_telephone_that_sends_no_rtp_does_not_wait_for_its_prompt(
    switchboard: Switchboard, speech: Path
) -> None:
    """AsyncAGI alone would look for the command only after 100 ms."""

    async def speak(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ready):
            await call.play(str(speech))
        if isinstance(event, PlaybackEnded):
            await call.hang_up()

    courses = await asyncio.gather(*[follow(await switchboard.place(to(own("99900"))), speak) for _ in range(3)])
    waits = [(course.events[3].at - course.events[2].at).total_seconds() - 2.0 for course in courses]
    assert min(waits) < 0.06, waits


async def test_a_callee_who_hangs_up_ends_the_call(switchboard: Switchboard, speech: Path) -> None:
    async def speak(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ready | PlaybackEnded):
            await call.play(str(speech))

    course = await follow(await switchboard.place(to(own("99909"))), speak)
    assert course.ended.by == "callee"
    assert course.ended.cause == 16
    assert course.outcome == (5, 5000)


async def test_a_stopped_playback_ends_at_once_even_when_it_has_not_begun(
    switchboard: Switchboard, telephones: Telephones, speech: Path
) -> None:
    async def stop(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ready):
            await call.play(str(speech))
            await call.stop()
        if isinstance(event, PlaybackEnded):
            await call.hang_up()

    number = own("99900")
    course = await follow(await switchboard.place(to(number)), stop)
    ready, played = course.events[2], course.events[3]
    assert played == PlaybackEnded(played.at, complete=False)
    assert (played.at - ready.at).total_seconds() < 1.5
    phone = await telephones.only_call(number)
    assert phone.heard
    assert phone.heard.stat().st_size < 1.5 * 8000


async def test_twelve_keys_140_ms_apart_come_in_order_while_prompts_change(
    switchboard: Switchboard, speech: Path
) -> None:
    async def prompt_after_each_key(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ready | PlaybackEnded):
            await call.play(str(speech), stop_keys=KEYS)
        if isinstance(event, KeyPressed) and event.digit == "#":
            await call.hang_up()

    course = await follow(await switchboard.place(to("9992100")), prompt_after_each_key)
    assert course.keys == "1234567890*#"
    assert course.kinds.count(PlaybackEnded) >= 11


async def test_a_key_stops_the_playback_only_when_it_may(switchboard: Switchboard, speech: Path) -> None:
    async def speak(call: AsteriskChannel, event: CallEvent) -> None:
        if isinstance(event, Ready):
            await call.play(str(speech), stop_keys="9")
        if isinstance(event, PlaybackEnded):
            await call.hang_up()

    course = await follow(await switchboard.place(to("999100123")), speak)
    played = next(event for event in course.events if isinstance(event, PlaybackEnded))
    assert course.keys == "123"
    assert played.complete


async def test_a_call_that_nobody_drives_ends_at_its_limit(
    asterisk: RunningAsterisk, telephones: Telephones, journal: Journal
) -> None:
    link = AmiLink(asterisk.url)
    await link.start()
    await link.wait_connected()
    number = own("99900")
    call = await Switchboard(link, journal).place(to(number, call_timeout=2))
    async for event in call.events():
        if isinstance(event, Ready):
            ready = event.at
            break
    await link.close()
    phone = await telephones.only_call(number)
    assert 1.8 < (phone.ended - ready).total_seconds() < 10


async def test_by_a_trunk_that_asterisk_does_not_know_nothing_is_dialled(switchboard: Switchboard) -> None:
    course = await follow(await switchboard.place(Origination(secrets.token_hex(8), "99900", "nowhere")))
    (ended,) = course.events
    assert isinstance(ended, Ended)
    assert (ended.dialled, ended.lost, ended.by) == (False, False, "callee")


@pytest.mark.parametrize(
    "origination",
    [
        Origination("a", "99900\r\nAction: Originate", "trunk"),
        Origination("a", "99900", "trunk\r\nVariable: X=1"),
        Origination("a", "99900", "trunk", '"Bank" <1>\r\n'),
        Origination("a b", "99900", "trunk"),
        Origination("a", "99900@other/n", "trunk"),
    ],
)
async def test_what_does_not_belong_into_an_originate_is_refused(
    switchboard: Switchboard, origination: Origination
) -> None:
    with pytest.raises(UnsafeValue):
        await switchboard.place(origination)


async def test_without_a_link_nothing_is_dialled(asterisk: RunningAsterisk, journal: Journal) -> None:
    with pytest.raises(LinkDown):
        await Switchboard(AmiLink(asterisk.url), journal).place(to("99900"))
