"""What is asked of Asterisk for one attempt, and what it tells about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Origination:
    """One attempt to reach a number.

    ``attempt_id`` becomes the channel's unique id. Times are seconds. ``caller_id`` is digits, or None for the trunk's
    own.
    """

    attempt_id: str
    number: str
    trunk: str
    caller_id: str | None = None
    ring_timeout: int = 45
    call_timeout: int | None = None
    record_to: str | None = None
    detect_machine: bool = False


@dataclass(frozen=True, slots=True)
class Ringing:
    """The telephone rings (SIP 180), at a wall-clock time in UTC."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """The callee answered (SIP 200)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ready:
    """The channel is in our hands: commands may be given."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """The callee pressed a key: one of ``0-9*#A-D``."""

    at: datetime
    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    """A playback ended; ``complete`` is False when it was stopped or failed."""

    at: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt is over; nothing follows.

    ``cause`` is ITU-T Q.850, ``sip_status`` the final SIP status when there was one. ``timed_out`` says that our own
    ring time ran out. ``by`` is ``callee`` or ``caller`` (us). ``lost`` says that the end came while there was no link
    to Asterisk, so that nothing more is known (``cause`` is 0).
    """

    at: datetime
    cause: int
    sip_status: int | None
    timed_out: bool
    by: Literal["callee", "caller"]
    lost: bool = False


CallEvent = Ringing | Answered | Ready | Key | Played | Ended
