"""The lab's telephones, called by a small SIP user agent: what each does, and that it hears every sample.

The agent speaks RFC 3261, RFC 3550 and RFC 4733 as far as loopback needs them: µ-law, nothing sent twice.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import secrets
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bridge.lab.telephones import PhoneCall

if TYPE_CHECKING:
    from tests.integration.conftest import Telephones

FRAME = 160
SAMPLES_A_SECOND = 8000
JITTER = 1.0  # seconds: a BYE that overtakes the last packet ends the call before it is heard
CALLER_ID = "41790000000"
NEGATIVE_ZERO = 0x7F  # µ-law has two zeros; MixMonitor() writes both as 0xFF


class _Socket(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    def datagram_received(self, data: bytes, _address: object) -> None:
        self.received.put_nowait((time.monotonic(), data))


@dataclass
class Caller:
    """One call to ``number``."""

    number: str
    sip: _Socket
    rtp: _Socket
    sip_out: asyncio.DatagramTransport
    rtp_out: asyncio.DatagramTransport
    call_id: str = field(default_factory=lambda: f"{secrets.token_hex(8)}-lab@127.0.0.1")
    statuses: list[int] = field(default_factory=list)
    to_tag: str = ""
    media: tuple[str, int] = ("", 0)

    async def invite(self) -> int:
        """Call, and wait for the final SIP status."""
        self.send("INVITE", self._offer())
        while True:
            response = await self._response()
            if self.statuses[-1] >= 200:
                self._connect(response)
                self.send("ACK")
                return self.statuses[-1]

    async def _response(self) -> str:
        while True:
            _, datagram = await asyncio.wait_for(self.sip.received.get(), 20)
            text = datagram.decode()
            if status := re.match(r"SIP/2.0 (\d+)", text):
                self.statuses.append(int(status[1]))
                return text

    async def hung_up(self) -> None:
        """Wait until the telephone hangs up."""
        while True:
            _, datagram = await asyncio.wait_for(self.sip.received.get(), 20)
            if datagram.startswith(b"BYE "):
                return

    def send(self, method: str, body: str = "") -> None:
        """Send a request of this call."""
        host, port = self.sip_out.get_extra_info("sockname")
        sequence = "2 BYE" if method == "BYE" else f"1 {method}"
        head = [
            f"{method} sip:{self.number}@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{self.call_id[:16]}{'b' if method == 'BYE' else 'i'}",
            "Max-Forwards: 70",
            f"From: <sip:{CALLER_ID}@127.0.0.1>;tag={self.call_id[:16]}",
            f"To: <sip:{self.number}@127.0.0.1>{self.to_tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {sequence}",
            f"Contact: <sip:{host}:{port}>",
            "Content-Type: application/sdp",
            f"Content-Length: {len(body)}",
        ]
        self.sip_out.sendto("\r\n".join([*head, "", body]).encode())

    def _offer(self) -> str:
        host, port = self.rtp_out.get_extra_info("sockname")
        lines = [
            "v=0",
            f"o=- 1 1 IN IP4 {host}",
            "s=-",
            f"c=IN IP4 {host}",
            "t=0 0",
            f"m=audio {port} RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=ptime:20",
        ]
        return "\r\n".join([*lines, ""])

    def _connect(self, response: str) -> None:
        self.to_tag = ";tag=" + _found(r"^To:.*;tag=([^\s;]+)", response)
        if media := re.search(r"^m=audio (\d+)", response, re.MULTILINE):
            self.media = ("127.0.0.1", int(media[1]))

    async def say(self, sound: bytes) -> None:
        """Send µ-law in packets of 20 ms, each at its time, until the last one has sounded."""
        began = time.monotonic()
        for index, start in enumerate(range(0, len(sound), FRAME)):
            await asyncio.sleep(began + start / SAMPLES_A_SECOND - time.monotonic())
            header = struct.pack("!BBHII", 0x80, 0x80 if index == 0 else 0, index, start, 0x1234)
            self.rtp_out.sendto(header + sound[start : start + FRAME], self.media)
        await asyncio.sleep(began + len(sound) / SAMPLES_A_SECOND + JITTER - time.monotonic())

    @asynccontextmanager
    async def on_the_line(self) -> AsyncIterator[None]:
        """Send silence meanwhile, as telephones do."""
        silence = asyncio.create_task(self.say(b"\xff" * 20 * SAMPLES_A_SECOND))
        try:
            yield
        finally:
            silence.cancel()

    async def keys(self, count: int) -> list[tuple[str, float]]:
        """The next keys that are pressed (RFC 4733), each with the time at which it began."""
        keys: dict[int, tuple[str, float]] = {}
        async for at, kind, timestamp, payload in self._packets():
            if kind == 101:
                keys.setdefault(timestamp, ("0123456789*#"[payload[0]], at))
            if len(keys) == count:
                return list(keys.values())
        raise AssertionError("unreachable")

    async def hear(self, seconds: float) -> bytes:
        """What the telephone says from now on, as µ-law."""
        sound = b""
        async for _, kind, _, payload in self._packets():
            if kind == 0:
                sound += payload
            if len(sound) >= seconds * SAMPLES_A_SECOND:
                return sound
        raise AssertionError("unreachable")

    async def _packets(self) -> AsyncIterator[tuple[float, int, int, bytes]]:
        for _ in itertools.count():
            at, packet = await asyncio.wait_for(self.rtp.received.get(), 20)
            _, kind, _, timestamp, _ = struct.unpack("!BBHII", packet[:12])
            yield at, kind & 0x7F, timestamp, packet[12:]


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{pattern} is not in:\n{text}"
    return found[1]


@asynccontextmanager
async def call(carrier_port: int, number: str) -> AsyncIterator[Caller]:
    """A caller on loopback, not calling yet; it hangs up at the end."""
    loop = asyncio.get_running_loop()
    sip_out, sip = await loop.create_datagram_endpoint(_Socket, ("127.0.0.1", 0), ("127.0.0.1", carrier_port))
    rtp_out, rtp = await loop.create_datagram_endpoint(_Socket, ("127.0.0.1", 0))
    caller = Caller(number, sip, rtp, sip_out, rtp_out)
    try:
        yield caller
    finally:
        if caller.statuses and caller.statuses[-1] == 200:
            caller.send("BYE")
        sip_out.close()
        rtp_out.close()


@pytest.mark.parametrize(
    ("number", "statuses"),
    [
        ("99901", [100, 486]),
        ("9990107", [100, 486]),
        ("99903", [100, 180, 603]),
        ("99904", [100, 404]),
        ("99905", [100, 480]),
        ("99906", [100, 503]),
        ("4179302", [100, 404]),
        ("99900", [100, 180, 200]),
        ("999301", [100, 180, 200]),
    ],
)
async def test_the_number_decides_what_the_telephone_answers(
    telephones: Telephones, number: str, statuses: list[int]
) -> None:
    async with call(telephones.carrier.sip_port, number) as caller:
        await caller.invite()
    assert caller.statuses == statuses
    told = await _told(telephones, caller)
    assert told.caller_id == CALLER_ID
    assert (told.answered is not None) == (statuses[-1] == 200)


async def test_a_telephone_rings_until_the_caller_gives_up(telephones: Telephones) -> None:
    async with call(telephones.carrier.sip_port, "99902") as caller:
        calling = asyncio.create_task(caller.invite())
        await _until(lambda: 180 in caller.statuses)
        caller.send("CANCEL")
        assert await calling in (200, 487)
    assert (await _told(telephones, caller)).answered is None


async def test_a_telephone_rings_as_long_as_its_number_says(telephones: Telephones) -> None:
    async with call(telephones.carrier.sip_port, "9993023") as caller:
        await caller.invite()
    told = await _told(telephones, caller)
    assert told.answered
    assert 1.8 < (told.answered - told.started).total_seconds() < 8


@pytest.mark.parametrize("number", ["99900", "99907", "99908"])
async def test_every_sample_is_heard(telephones: Telephones, number: str) -> None:
    sound = _noise(range(256))
    async with call(telephones.carrier.sip_port, number) as caller:
        await caller.invite()
        await caller.say(sound)
    assert await heard_by(telephones, caller) == sound


async def test_a_telephone_that_presses_keys_hears_every_sample(telephones: Telephones) -> None:
    sound = _noise(value for value in range(256) if value != NEGATIVE_ZERO)
    async with call(telephones.carrier.sip_port, "9991001234") as caller:
        await caller.invite()
        await caller.say(sound)
    assert await heard_by(telephones, caller) == sound


@pytest.mark.parametrize(
    ("number", "keys", "first", "gap"),
    [
        ("9991001234", "1234", 0.1, 0.14),
        ("99910090919299777", "9*#", 0.1, 0.14),
        ("99911112", "12", 1.1, 1.0),
        ("99921009", "1234567890*#", 0.1, 0.14),
    ],
)
async def test_keys_are_pressed_at_their_times(
    telephones: Telephones, number: str, keys: str, first: float, gap: float
) -> None:
    async with call(telephones.carrier.sip_port, number) as caller:
        await caller.invite()
        answered = time.monotonic()
        async with caller.on_the_line():
            pressed = await caller.keys(len(keys))
    assert "".join(key for key, _ in pressed) == keys
    assert first - 0.3 < pressed[0][1] - answered < first + 3
    assert 0.7 * gap < (pressed[-1][1] - pressed[0][1]) / (len(keys) - 1) < 4 * gap


async def test_a_pause_stands_between_keys(telephones: Telephones) -> None:
    async with call(telephones.carrier.sip_port, "999100193299") as caller:
        await caller.invite()
        async with caller.on_the_line():
            (_, one), (_, two) = await caller.keys(2)
    assert 0.8 < two - one < 5


async def test_a_human_says_hello_and_falls_silent(telephones: Telephones) -> None:
    async with call(telephones.carrier.sip_port, "99907") as caller:
        await caller.invite()
        async with caller.on_the_line():
            said = await caller.hear(3)
    assert _sounding(said) == pytest.approx((0.5, 1.0), abs=0.3)


async def test_voicemail_greets_and_beeps(telephones: Telephones) -> None:
    async with call(telephones.carrier.sip_port, "99908") as caller:
        await caller.invite()
        async with caller.on_the_line():
            said = await caller.hear(9)
    begin, end = _sounding(said)
    assert begin == pytest.approx(0.3, abs=0.2)
    assert 5 < end < 9
    beep = said[int((end - 0.45) * SAMPLES_A_SECOND) :][:1600]
    assert beep[8:] == pytest.approx(beep[:-8], abs=0), "1 kHz has a period of 8 samples"


async def test_a_telephone_hangs_up_early(telephones: Telephones) -> None:
    async with call(telephones.carrier.sip_port, "99909") as caller:
        await caller.invite()
        async with caller.on_the_line():
            await caller.hung_up()
    told = await _told(telephones, caller)
    assert told.answered
    assert 0.7 < (told.ended - told.answered).total_seconds() < 8


def _noise(values: Iterable[int]) -> bytes:
    """Two seconds in which every one of the values stands, and no two frames are alike."""
    return bytes(random.Random(3).choices(list(values), k=2 * SAMPLES_A_SECOND))  # noqa: S311


def _sounding(sound: bytes) -> tuple[float, float]:
    """When the first and the last audible sample stand, in seconds."""
    audible = [index for index, value in enumerate(sound) if value & 0x7F < 0x60]
    return audible[0] / SAMPLES_A_SECOND, audible[-1] / SAMPLES_A_SECOND


async def _told(telephones: Telephones, caller: Caller) -> PhoneCall:
    """What the carrier wrote about the call."""
    await _until(lambda: bool(_line(telephones, caller)))
    return _line(telephones, caller)[0]


def _line(telephones: Telephones, caller: Caller) -> list[PhoneCall]:
    return [call for call in telephones.calls(caller.number) if call.call_id == caller.call_id]


async def heard_by(telephones: Telephones, caller: Caller) -> bytes:
    file = (await _told(telephones, caller)).heard
    assert file
    await _until(file.exists)
    return file.read_bytes()


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
