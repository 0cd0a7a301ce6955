"""Silence between two operations: a long file that is played while nothing else is. No I/O.

Without RTP, networks end calls and recordings have holes; and only during a playback does Asterisk pass keys on as they
came, however fast.
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
    """Unknown, after a lost link: nothing, silence that any process began, or a prompt and the silence behind it."""


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
        """Set the command that plays the file, and how long that is."""
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
        """Nobody knows what is played; returns the id for a command that the channel answers when that is over."""
        self.state, self.command_id, self._ends_at = SilenceState.FOUND, _FOUND_ID, math.inf
        return _FOUND_ID

    def operation_over(self, now: float) -> None:
        """The silence that stood behind the operation begins now."""
        if self._file and self.state is not SilenceState.OFF:
            self._ends_at = now + self._file[1]

    def end(self, now: float) -> float:
        """It is over; returns the seconds until it may begin again: more than 0 for a file that cannot be played."""
        is_early = self.state is SilenceState.ON and self._ends_at - now > _FAILED_SECONDS
        is_unreadable = is_early and self._was_early  # an early end once may be a stop that came late
        self.state, self._was_early = SilenceState.OFF, is_early
        return _FAILED_SECONDS if is_unreadable else 0.0

    def give_way(self, now: float) -> tuple[int, int]:
        """Make way for an operation: how many stops end the silence, and how many of them may be left over.

        A stop that came after the end would hit what follows, so a silence that is about to end by itself is left to.
        """
        stops = {SilenceState.OFF: (0, 0), SilenceState.ON: (1, 0), SilenceState.FOUND: (2, 2)}[self.state]
        ends_by_itself = self._ends_at - now <= _ENDS_BY_ITSELF_SECONDS
        self.state, self._was_early = SilenceState.OFF, False
        return (0, 0) if ends_by_itself else stops
