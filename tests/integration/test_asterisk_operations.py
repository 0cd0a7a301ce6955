"""What a script may do with a channel besides playing: listen, detect, record, transfer; also over a cut link."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.lab.processes import until
from bridge.telephony.errors import UnsafeValue
from bridge.telephony.events import (
    CallEvent,
    Detected,
    Ended,
    GreetingOver,
    KeyPressed,
    Origination,
    PlaybackEnded,
    Ready,
    RecordingEnded,
    TransferAnswered,
    TransferOrder,
    TransferOver,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import AmiProxy, OpenLink, RunningAsterisk, Telephones

ALL_KEYS = "1234567890*#"
_Event = TypeVar("_Event", bound=CallEvent)


def to(number: str, *, call_timeout: int | None = None, record_to: str | None = None) -> Origination:
    attempt = secrets.token_hex(8)
    return Origination(attempt, number, "trunk", "38512345", 8, call_timeout=call_timeout, record_to=record_to)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


async def heard_until(call: AsteriskChannel, last: type[_Event], seconds: float = 20) -> _Event:
    """The first event of that kind."""
    async with asyncio.timeout(seconds):
        async for event in call.events():
            if isinstance(event, last):
                return event
    raise AssertionError(f"the call ended without {last.__name__}")


async def end(call: AsteriskChannel) -> None:
    await call.hang_up()
    await heard_until(call, Ended)


def heard_bytes(telephones: Telephones, number: str) -> int:
    """How much a telephone has heard so far."""
    return sum(file.stat().st_size for file in (telephones.carrier.heard_dir / number).glob("*"))


@pytest.fixture
def switchboard(link: AmiLink, journal: Journal) -> Switchboard:
    return Switchboard(link, journal)


@pytest.fixture
def silence(tmp_path: Path) -> str:
    """The stem of a file of two seconds."""
    (tmp_path / "silence.ulaw").write_bytes(b"\xff" * 16_000)
    return str(tmp_path / "silence")


@pytest.mark.parametrize("is_filled", [True, False])
async def test_every_key_comes_once_however_fast_while_the_call_listens(
    switchboard: Switchboard, silence: str, is_filled: bool
) -> None:
    """40 ms between two keys: Asterisk alone would tell ten of them twice while nothing is played."""

    async def keys_of(number: str) -> str:
        call = await switchboard.place(to(number, call_timeout=3))
        keys = ""
        async for event in call.events():
            if isinstance(event, Ready) and is_filled:
                call.fill_with(silence, 2.0)
                call.send_silence()
            if isinstance(event, KeyPressed):
                keys += event.digit
        return keys

    assert await asyncio.gather(*(keys_of(f"9992100{number:02}") for number in range(10))) == [ALL_KEYS] * 10


async def test_silence_goes_on_while_nothing_is_played_and_gives_way_at_once(
    switchboard: Switchboard, telephones: Telephones, silence: str, speech: Path
) -> None:
    """Longer than its file, and on a telephone that sends nothing by itself."""
    number = own("99900")
    call = await switchboard.place(to(number))
    call.fill_with(silence, 2.0)
    await heard_until(call, Ready)
    call.send_silence()
    assert await asyncio.to_thread(until, lambda: heard_bytes(telephones, number) >= 2.1 * 8000, 30)
    began = asyncio.get_running_loop().time()
    await call.play(str(speech))
    await heard_until(call, PlaybackEnded)
    assert asyncio.get_running_loop().time() - began < 3.2
    await end(call)
    phone = await telephones.only_call(number)
    assert phone.heard
    heard = phone.heard.read_bytes()
    spoken = speech.with_suffix(".ulaw").read_bytes()
    assert spoken in heard
    assert set(heard[: heard.index(spoken)]) == {0xFF}


async def test_prompts_follow_each_other_over_and_over_while_keys_are_pressed(
    switchboard: Switchboard, silence: str, speech: Path
) -> None:
    """Whatever a stop meets (a prompt, the silence behind it, nothing), the prompt after it is played."""
    call = await switchboard.place(to("9992100"))
    call.fill_with(silence, 2.0)
    await heard_until(call, Ready)
    for _ in range(30):
        await call.play(str(speech), stop_keys=ALL_KEYS)
        await call.stop()
        await heard_until(call, PlaybackEnded)
    await call.play(str(speech), stop_keys="D")
    assert (await heard_until(call, PlaybackEnded)).complete
    await end(call)


@pytest.mark.parametrize(
    ("prefix", "answered_by", "reason"), [("99907", "human", "HUMAN"), ("99908", "machine", "LONGGREETING")]
)
async def test_the_detector_tells_who_answered(
    switchboard: Switchboard, prefix: str, answered_by: str, reason: str
) -> None:
    call = await switchboard.place(to(own(prefix)))
    await heard_until(call, Ready)
    await call.detect_machine()
    detected = await heard_until(call, Detected)
    assert detected.answered_by == answered_by
    assert detected.reason.startswith(reason)
    await end(call)


async def test_a_greeting_is_over_when_it_has_been_silent_for_a_while(switchboard: Switchboard) -> None:
    call = await switchboard.place(to(own("99908")))
    ready = await heard_until(call, Ready)
    await call.await_greeting_end()
    over = await heard_until(call, GreetingOver)
    assert 7 < (over.at - ready.at).total_seconds() < 11
    await end(call)


async def test_a_recording_ends_after_its_time_and_at_a_stop_key(switchboard: Switchboard, tmp_path: Path) -> None:
    call = await switchboard.place(to("9992251399" + str(secrets.randbelow(1000))))
    await heard_until(call, Ready)
    await call.record(str(tmp_path / "timed"), stop_keys="#", seconds=1, silence=None)
    assert (await heard_until(call, RecordingEnded)).seconds == pytest.approx(1, abs=0.5)
    await call.record(str(tmp_path / "stopped"), stop_keys="3", seconds=20, silence=None)
    recorded = await heard_until(call, RecordingEnded)
    assert 0.5 < recorded.seconds < 6
    assert (tmp_path / "stopped.wav").stat().st_size == pytest.approx(recorded.seconds * 16_000 + 44, abs=1)
    await end(call)


async def test_a_transfer_is_told_from_its_answer_to_its_end(switchboard: Switchboard, telephones: Telephones) -> None:
    call = await switchboard.place(to(own("99907")))
    await heard_until(call, Ready)
    agent = own("99923")
    await call.transfer(TransferOrder((agent,), ring_seconds=5, max_seconds=2, caller_id="41790000009"))
    await heard_until(call, TransferAnswered)
    over = await heard_until(call, TransferOver)
    assert (over.result, over.number) == ("answered", agent)
    assert over.seconds == pytest.approx(2, abs=1)
    assert (await telephones.only_call(agent)).caller_id == "41790000009"
    await call.transfer(TransferOrder((own("99901"),), ring_seconds=5, max_seconds=2))
    assert (await heard_until(call, TransferOver)).result == "busy"
    await end(call)


async def begin_transfer(call: AsteriskChannel) -> None:
    await call.transfer(TransferOrder((own("99923"),), ring_seconds=5, max_seconds=3))


@pytest.fixture
async def cut_off(proxy: AmiProxy, open_link: OpenLink, journal: Journal) -> Switchboard:
    """One whose link can be cut."""
    link = await open_link(proxy.url)
    switchboard = Switchboard(link, journal)
    await link.wait_connected()
    return switchboard


@pytest.mark.parametrize(
    ("begin", "variable"), [(AsteriskChannel.detect_machine, "AMDSTATUS"), (begin_transfer, "ANSWEREDTIME")]
)
async def test_an_end_that_came_without_a_link_is_learnt_afterwards(
    asterisk: RunningAsterisk,
    proxy: AmiProxy,
    cut_off: Switchboard,
    begin: Callable[[AsteriskChannel], Awaitable[None]],
    variable: str,
) -> None:
    call = await cut_off.place(to(own("99907")))
    await heard_until(call, Ready)
    await begin(call)
    proxy.refusing = True
    proxy.cut()
    assert await asyncio.to_thread(
        until, lambda: f"{variable}=" in asterisk.console(f"core show channel {call.id}"), 30
    )
    proxy.refusing = False
    if variable == "AMDSTATUS":
        assert (await heard_until(call, Detected)).answered_by == "human"
    else:
        assert (await heard_until(call, TransferOver)).result == "answered"
    await end(call)


async def test_a_prompt_that_ended_without_a_link_is_over_at_once_though_silence_follows_it(
    asterisk: RunningAsterisk, proxy: AmiProxy, cut_off: Switchboard, speech: Path, tmp_path: Path
) -> None:
    """The silence behind it lasts longer than anybody would wait, and gives way to the next prompt all the same."""
    (tmp_path / "silence.ulaw").write_bytes(b"\xff" * 8000 * 60)
    call = await cut_off.place(to(own("99907")))
    call.fill_with(str(tmp_path / "silence"), 60)
    await heard_until(call, Ready)
    await call.play(str(speech), stop_keys="1")
    proxy.refusing = True
    proxy.cut()
    assert await asyncio.to_thread(until, lambda: "Playback" in asterisk.console("core show channels concise"), 30)
    proxy.refusing = False
    assert (await heard_until(call, PlaybackEnded)).complete
    call.send_silence()
    await call.play(str(speech))
    assert (await heard_until(call, PlaybackEnded)).complete
    await end(call)


async def test_a_transfer_whose_order_got_lost_is_not_told_as_the_one_before(
    proxy: AmiProxy, cut_off: Switchboard
) -> None:
    call = await cut_off.place(to(own("99923")))
    await heard_until(call, Ready)
    await call.transfer(TransferOrder((own("99923"),), ring_seconds=5, max_seconds=1))
    assert (await heard_until(call, TransferOver)).result == "answered"
    proxy.cut_before = b"EXEC Dial"
    await call.transfer(TransferOrder((own("99923"),), ring_seconds=5, max_seconds=1))
    over = await heard_until(call, TransferOver)
    assert (over.result, over.number, over.seconds) == ("failed", None, 0.0)
    await end(call)


async def test_silence_that_a_late_stop_has_hit_goes_on_at_once(
    proxy: AmiProxy, open_link: OpenLink, journal: Journal, speech: Path, tmp_path: Path
) -> None:
    """Behind each prompt: before anything else is said to Asterisk."""
    link = await open_link(proxy.url)
    switchboard = Switchboard(link, journal)

    def note_end(event: dict[str, str]) -> None:
        if event["Event"] == "AsyncAGIExec":
            link.post("Getvar", Variable=f"over-{event.get('CommandId')}")

    link.subscribe(note_end, lambda: None)
    await link.wait_connected()
    (tmp_path / "silence.ulaw").write_bytes(b"\xff" * 8000 * 60)
    call = await switchboard.place(to(own("99900")))
    call.fill_with(str(tmp_path / "silence"), 60)
    await heard_until(call, Ready)
    for _ in range(2):
        await call.play(str(speech), stop_keys="1")
        await heard_until(call, PlaybackEnded)
        order = re.findall(rb"CommandID: silence-\S+", proxy.said)[-1]
        end_of_silence = order.replace(b"CommandID: ", b"Variable: over-")
        async with asyncio.timeout(30):
            while end_of_silence not in proxy.said:
                await link.send("ControlPlayback", Channel=call.id, Control="stop")
                await asyncio.sleep(0.2)  # Asterisk loses a stop that comes before the file is played
        assert proxy.said.partition(end_of_silence)[0].count(order) == 2
    await end(call)


async def test_silence_that_asterisk_cannot_read_is_tried_once_a_second(
    proxy: AmiProxy, cut_off: Switchboard, tmp_path: Path
) -> None:
    call = await cut_off.place(to(own("99900")))
    await heard_until(call, Ready)
    call.fill_with(str(tmp_path / "missing"), 20.0)
    began = asyncio.get_running_loop().time()
    call.send_silence()
    assert await asyncio.to_thread(until, lambda: proxy.said.count(b"EXEC Playback") >= 4, 30)
    assert asyncio.get_running_loop().time() - began > 1.9
    await end(call)


@pytest.mark.parametrize("number", ["99901&PJSIP/99902@trunk", "99901,1,g", "", "41790000000\r\nAction: Originate"])
async def test_a_transfer_to_something_else_than_a_number_is_refused(switchboard: Switchboard, number: str) -> None:
    call = await switchboard.place(to(own("99900")))
    await heard_until(call, Ready)
    with pytest.raises(UnsafeValue):
        await call.transfer(TransferOrder((number,), ring_seconds=5, max_seconds=2))
    await end(call)


@pytest.mark.parametrize("path", ["/rec/a,b.wav", "/rec/a;b.wav", "/rec/${SHELL(id)}.wav", '/rec/a"b.wav'])
async def test_a_recording_is_not_written_to_a_path_that_the_dialplan_reads_otherwise(
    switchboard: Switchboard, path: str
) -> None:
    with pytest.raises(UnsafeValue):
        await switchboard.place(to(own("99900"), record_to=path))
