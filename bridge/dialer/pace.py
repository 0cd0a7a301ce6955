"""How fast a trunk may be called."""

from __future__ import annotations

from math import floor


class Pace:
    """A token bucket that holds one token: calls start at least ``1 / per_second`` apart."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = float("-inf")

    def reserve(self, now: float) -> float:
        """Take the next turn; return how many seconds to wait for it. ``now`` is in seconds on any steady clock."""
        wait = self.wait(now)
        self._next = now + wait + self._gap
        return wait

    def wait(self, now: float) -> float:
        """How many seconds there are to the next turn."""
        return max(0.0, self._next - now)

    def turns_within(self, seconds: float, now: float) -> int:
        """How many turns begin in the next seconds; the one that is free now counts."""
        return max(0, floor((seconds - self.wait(now)) / self._gap) + 1)
