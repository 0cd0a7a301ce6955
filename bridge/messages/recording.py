"""Recordings: what was recorded on a call, how long it is, and whether there is a file of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import uuid4

SHORT_BY_SECONDS = 0.5
"""A recording may end so much before its call does, or begin so much after it, and still count as whole."""

BYTES_PER_SECOND = 16_000
"""WAV, PCM of 16 bits at 8 kHz, one channel."""

HEADER_BYTES = 44


class RecordingState(StrEnum):
    """What there is of a recording."""

    RECORDING = "recording"
    """The call goes on."""
    AVAILABLE = "available"
    SHORT = "short"
    """There is a file, but it is shorter than what was to be recorded."""
    LOST = "lost"
    """There should be a file, and is none."""
    DELETED = "deleted"
    """The time for which it was kept is over."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole call (``call``), or what one verb of its script recorded (``action``).

    ``pointer`` is the JSON pointer (RFC 6901) of that verb (``#/script/1``). ``seconds`` and ``size`` (bytes) are known
    when it is over. ``node`` is the one whose disk has the file; None when it is in object storage. ``message_id`` is
    None unless the recording was read from the store.
    """

    id: str
    attempt_id: str
    kind: Literal["call", "action"]
    recorded_at: datetime
    pointer: str | None = None
    state: RecordingState = RecordingState.RECORDING
    seconds: float | None = None
    size: int | None = None
    node: str | None = None
    message_id: str | None = None

    @property
    def file_name(self) -> str:
        """Its name in the folder of recordings."""
        return f"{self.id}.wav"

    @property
    def logged_as(self) -> dict[str, str | None]:
        """The members of each line of the log about it."""
        return {"recording": self.id, "attempt": self.attempt_id, "message": self.message_id}

    @property
    def has_file(self) -> bool:
        """Whether there is something to be heard."""
        return self.state in {RecordingState.AVAILABLE, RecordingState.SHORT}


def new_recording(
    attempt_id: str, kind: Literal["call", "action"], now: datetime, pointer: str | None = None
) -> Recording:
    """A recording that begins ``now``."""
    return Recording(str(uuid4()), attempt_id, kind, now, pointer)


def finished(recording: Recording, size: int | None, expected_seconds: float) -> Recording:
    """The recording when it is over: its file has ``size`` bytes (None when there is none).

    ``expected_seconds`` is how long it was to be.
    """
    if size is None or size <= HEADER_BYTES:
        return replace(recording, state=RecordingState.LOST)
    seconds = (size - HEADER_BYTES) / BYTES_PER_SECOND
    whole = seconds >= expected_seconds - SHORT_BY_SECONDS
    state = RecordingState.AVAILABLE if whole else RecordingState.SHORT
    return replace(recording, state=state, seconds=seconds, size=size)
