"""Calls with more than a text, and what a telephone must have heard of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import ClientSession
from numpy.typing import NDArray

from bridge.speech.sound.codec import ulaw_levels
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_calls import cdr_of, send

SAMPLES_A_SECOND = 8000
PIECE = SAMPLES_A_SECOND // 20
LONGEST_GAP = SAMPLES_A_SECOND


async def place(api: ClientSession, to: str, text: str | None, **members: Any) -> str:
    """POST one fully featured message; return its token."""
    spoken = {} if text is None else {"text": text}
    message = {"from": "41790000000", "destinations": [{"to": to}], **spoken, **members}
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        body = await response.json()
        assert response.status == 200, body
    token: str = body["messages"][0]["token"]
    return token


async def attempt_of(api: ClientSession, token: str, seconds: float = 40) -> dict[str, Any]:
    """The CDR of the only attempt, as soon as the call is over."""
    (attempt,) = (await cdr_of(api, token, seconds))["attempts"]
    assert isinstance(attempt, dict)
    return attempt


async def called(api: ClientSession, to: str, text: str | None, **members: Any) -> dict[str, Any]:
    """Place a call and wait for its CDR."""
    return await attempt_of(api, await place(api, to, text, **members))


def inputs_of(attempt: dict[str, Any]) -> list[tuple[str, str | None, list[str]]]:
    return [(entered["keys"], entered["action"], entered["actionGroups"]) for entered in attempt["inputs"]]


@dataclass(frozen=True)
class Sounds:
    """What the daemon's speech sounds like: it is kept, and heard bit for bit, so a plain call tells."""

    lab: RunningLab
    api: ClientSession
    known: dict[str, bytes] = field(default_factory=dict)

    async def of(self, text: str) -> bytes:
        if text not in self.known:
            number = f"999009{zlib.crc32(text.encode()) % 10**9:09}"
            await cdr_of(self.api, await send(self.api, number, text))
            self.known[text] = one_zero(await self.lab.heard(number))
        return self.known[text]


def one_zero(ulaw: bytes) -> bytes:
    """µ-law has two zeros; a telephone that presses keys writes both as one."""
    return ulaw.replace(b"\x7f", b"\xff")


@dataclass(frozen=True)
class Span:
    """How much of a sound was heard, and the seconds at which that begins and ends."""

    share: float
    begins: float
    ends: float

    @property
    def was_heard(self) -> bool:
        """Whether it was this sound: another one has none of its pieces, and some of them get lost."""
        return self.share > 0.6


def span_of(heard: bytes, sound: bytes, begins: float = 0) -> Span:
    """Where a sound was heard from some second on, in pieces of 50 ms.

    A telephone that presses keys loses some of what it hears when it gets no processor in time.
    """
    pieces = [sound[start : start + PIECE] for start in range(0, len(sound) - PIECE + 1, PIECE)]
    distinct = [piece for piece in pieces if len(set(piece)) > 1]
    at = round(begins * SAMPLES_A_SECOND)
    places: list[int] = []
    for piece in distinct:
        here = heard.find(piece, at, at + LONGEST_GAP if places else None)
        if here >= 0:
            places.append(here)
            at = here + PIECE
    first = places[0] if places else at
    return Span(len(places) / len(distinct), first / SAMPLES_A_SECOND, at / SAMPLES_A_SECOND)


def in_order(heard: bytes, sounds: Sequence[bytes]) -> bool:
    """Whether the sounds were heard one after the other."""
    at = 0.0
    for sound in sounds:
        span = span_of(heard, sound, at)
        if not span.was_heard:
            return False
        at = span.ends
    return True


def levels(ulaw: bytes) -> NDArray[np.int16]:
    """µ-law as linear samples."""
    return np.asarray(ulaw_levels()[np.frombuffer(ulaw, np.uint8)], np.int16)


def samples(wave: Path | bytes) -> NDArray[np.int16]:
    """The samples of a recording: WAV, PCM of 16 bits at 8 kHz, one channel."""
    data = wave if isinstance(wave, bytes) else wave.read_bytes()
    assert data[:4] == b"RIFF"
    assert data[22:28] == b"\x01\x00\x40\x1f\x00\x00", "one channel at 8 kHz"
    assert int.from_bytes(data[40:44], "little") == len(data) - 44, "the header knows how long it is"
    return np.frombuffer(data[44:], "<i2")
