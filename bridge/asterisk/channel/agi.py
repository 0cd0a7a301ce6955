"""AGI commands as Asterisk reads them, and its answers (Asterisk's documentation, AGI commands)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.telephony.errors import UnsafeValue

NOTHING = "NOOP"
SILENCE = 'EXEC PlayTones "0/1000"'
"""Tones that cannot be heard, from now on until something else is played: for operations that play nothing."""

USE_UP_STOP = "WAIT FOR DIGIT 1"
"""Takes a stop that is still queued on the channel, since nothing was playing: the stop ends this wait of 1 ms instead
of what comes next."""

PLAYBACK = "Playback"

HUNG_UP_OR_FAILED = -1

_ANSWER = re.compile(r"result=(-?\d+)(?: \((.*)\))?(?: endpos=(\d+))?")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a command: its result, what stood in parentheses, and a position in samples."""

    result: int
    value: str = ""
    position: int = 0


def read(text: str) -> Answer:
    """Read ``200 result=0 endpos=8000`` or ``200 result=1 (HUMAN:HUMAN-800-800)``; anything else counts as failed."""
    found = _ANSWER.search(text)
    if not found:
        return Answer(HUNG_UP_OR_FAILED)
    result, value, position = found.groups()
    return Answer(int(result), value or "", int(position or 0))


def play(stem: str, stop_keys: str) -> str:
    """Play a file in the format that fits the channel; the result is 0 when it was played to its end."""
    return f"STREAM FILE {quoted_file(stem)} {_keys(stop_keys)}"


def play_silence(stem: str) -> str:
    """Play a file of silence, by an application: so CoreShowChannels tells it from a prompt. Raises ``UnsafeValue``."""
    if re.search("[,&|]", stem):
        raise UnsafeValue("the name of a file holds a character that Playback() gives a meaning to")
    return f"EXEC {PLAYBACK} {quoted_file(stem)}"


def record(stem: str, stop_keys: str, seconds: int, silence: int | None) -> str:
    """Record the callee into ``STEM.wav``, for ``seconds`` or until ``silence`` seconds of silence."""
    until_silent = f" s={silence}" if silence else ""
    return f"RECORD FILE {quoted_file(stem)} wav {_keys(stop_keys)} {seconds * 1000}{until_silent}"


def quoted_file(stem: str) -> str:
    """The name of a file as an argument. Raises ``UnsafeValue``."""
    if not re.fullmatch(r'[^"\\]+', stem):
        raise UnsafeValue("the name of a file holds a character that AGI gives a meaning to")
    return f'"{stem}"'


def _keys(keys: str) -> str:
    if not re.fullmatch(r"[0-9*#A-D]*", keys):
        raise UnsafeValue("a stop key is none of 0-9*#A-D")
    return f'"{keys}"'
