"""Calls as an exchange is asked for them (originations, transfers), and the events that it tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Origination:
    """One call to place: a leg of an attempt.

    ``channel_id`` becomes the channel's unique id; no two calls ever share one. Times are seconds. ``caller_id`` is
    digits, or None for the trunk's own. ``record_to`` is the WAV file into which both sides are recorded from the
    answer on. ``logged_as`` are the members of each line of the log about it.
    """

    channel_id: str
    number: str
    trunk: str
    caller_id: str | None = None
    ring_timeout: int = 45
    call_timeout: int | None = None
    record_to: str | None = None
    logged_as: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """Telephones that are called at once, of which the first that answers is joined with the callee.

    Times are seconds. Without a ``caller_id`` that of the call is shown. ``warning_tone`` is a sound file (its path
    without the ending) that both sides hear ``warning_seconds`` before ``max_seconds`` are over.
    """

    numbers: tuple[str, ...]
    ring_seconds: int
    max_seconds: int
    caller_id: str | None = None
    warning_seconds: int | None = None
    warning_tone: str | None = None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """What an exchange tells of a call, ``at`` a wall-clock time in UTC."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ringing(CallEvent):
    """The telephone rings (SIP 180)."""


@dataclass(frozen=True, slots=True)
class Answered(CallEvent):
    """The callee answered (SIP 200)."""


@dataclass(frozen=True, slots=True)
class Ready(CallEvent):
    """The channel takes commands now."""


@dataclass(frozen=True, slots=True)
class KeyPressed(CallEvent):
    """The callee pressed a key: one of ``0-9*#A-D``."""

    digit: str


@dataclass(frozen=True, slots=True)
class PlaybackEnded(CallEvent):
    """A playback ended; ``complete`` is False when it was stopped or failed."""

    complete: bool


@dataclass(frozen=True, slots=True)
class Detected(CallEvent):
    """Who answered, as far as it can be heard; ``reason`` is what AMD() says about it (``AMDCAUSE``)."""

    answered_by: Literal["human", "machine", "unknown"]
    reason: str


@dataclass(frozen=True, slots=True)
class GreetingOver(CallEvent):
    """The answering machine has been silent for a while: its greeting is over, and it listens."""


@dataclass(frozen=True, slots=True)
class RecordingEnded(CallEvent):
    """A recording of the callee is over; its file is complete and ``seconds`` long (0 when its end was not seen)."""

    seconds: float


@dataclass(frozen=True, slots=True)
class TransferAnswered(CallEvent):
    """The other side answered; from now on the two hear each other."""


@dataclass(frozen=True, slots=True)
class TransferOver(CallEvent):
    """The other side left, or never came; ``number`` is the one that answered, joined for ``seconds``."""

    result: Literal["answered", "busy", "no-answer", "failed"]
    number: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended(CallEvent):
    """The attempt is over; nothing follows.

    ``cause`` is ITU-T Q.850, ``sip_status`` the final SIP status when there was one. ``timed_out`` says that our own
    ring time ran out. ``by`` is ``callee`` or ``caller`` (us). ``lost`` says that neither AMI nor Asterisk's journal
    told how it ended: ``at`` is then when the call was last known of, and ``cause`` is 0. ``dialled`` is False when it
    is certain that Asterisk has never begun the call. ``unsent`` says that no packet was sent, since the trunk's name
    led to no address: nobody has ended such a call, and ``by`` means nothing.
    """

    cause: int
    sip_status: int | None
    timed_out: bool
    by: Literal["callee", "caller"]
    lost: bool = False
    dialled: bool = True
    unsent: bool = False
