"""Silence between two operations: a long file that is played while nothing else is. No I/O here.

Without RTP, networks end calls and recordings have holes, and only during a playback Asterisk leaves keys as they came,
however fast.
"""

from __future__ import annotations

import math
from enum import Enum, auto

_ENDS_BY_ITSELF_SECONDS = 0.2
_FAILED_SECONDS = 1.0
_FOUND_ID = "found"


class SilenceState(Enum):
    """What the channel plays besides operations."""

    OFF = auto()
    """Nothing."""
    ON = auto()
    """The file, now or as soon as the operation under way is over: it stands behind that in the channel's queue."""
    FOUND = auto()
    """Unseen, after a lost link: nothing, silence by whomever, or a prompt and the silence behind it."""


class BackgroundSilence:
    """One channel's silence. ``command_id`` is that of the command whose answer says that there is no more of it.

    ``now`` is the loop's clock, in seconds.
    """

    def __init__(self) -> None:
        self.state = SilenceState.OFF
        self.command_id = ""
        self._file: tuple[str, float] | None = None
        self._ends_at = 0.0
        self._was_early = False

    def fill_with(self, command: str, seconds: float) -> None:
        """The command that plays the file, which is so long."""
        self._file = command, seconds

    @property
    def may_begin(self) -> bool:
        return self._file is not None and self.state is SilenceState.OFF

    def begin(self, command_id: str, now: float) -> str | None:
        """The command to send, if there is a file."""
        if self._file is None:
            return None
        command, seconds = self._file
        self.state, self.command_id, self._ends_at = SilenceState.ON, command_id, now + seconds
        return command

    def lose_sight(self) -> str:
        """Something may be played; returns the id of a command that the channel is to answer when that is over."""
        self.state, self.command_id, self._ends_at = SilenceState.FOUND, _FOUND_ID, math.inf
        return _FOUND_ID

    def operation_over(self, now: float) -> None:
        """What stood behind the operation begins now."""
        if self._file and self.state is not SilenceState.OFF:
            self._ends_at = now + self._file[1]

    def end(self, now: float) -> float:
        """It is over; returns the seconds until it may begin again: a file that cannot be played ends at once."""
        is_early = self.state is SilenceState.ON and self._ends_at - now > _FAILED_SECONDS
        is_unreadable = is_early and self._was_early  # once, a stop that came late may have hit it
        self.state, self._was_early = SilenceState.OFF, is_early
        return _FAILED_SECONDS if is_unreadable else 0.0

    def give_way(self, now: float) -> tuple[int, int]:
        """Whatever follows begins at once: the stops that this takes, and how many of them may be left over.

        A stop that came after the end would hit what follows: the last moment is waited out.
        """
        stops = {SilenceState.OFF: (0, 0), SilenceState.ON: (1, 0), SilenceState.FOUND: (2, 2)}[self.state]
        ends_by_itself = self._ends_at - now <= _ENDS_BY_ITSELF_SECONDS
        self.state, self._was_early = SilenceState.OFF, False
        return (0, 0) if ends_by_itself else stops
