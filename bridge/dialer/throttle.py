"""Throttle: the pace of a trunk when it, or Asterisk, cannot keep up with the configured one."""

from __future__ import annotations

from collections import deque
from statistics import median

SLOWEST_CALLS_PER_SECOND = 0.2
LEAST_SECONDS_BETWEEN_CUTS = 1.0
RECOVERED_PER_SECOND = 0.05
"""The part of the configured rate that comes back each second."""
SLOW_ANSWER_SECONDS = 0.5
ANSWERS_WATCHED = 9
LEGS_WATCHED = 10
REFUSALS_FOR_TROUBLE = 5


class Throttle:
    """Additive increase, multiplicative decrease (as RFC 5681 does for TCP) of a rate in calls per second.

    Trouble halves the rate, at most once a second and not below one call in five seconds; without trouble it grows
    back by a twentieth of the configured rate each second. ``now`` is in seconds on any steady clock.
    """

    def __init__(self, calls_per_second: float) -> None:
        self._most = calls_per_second
        self._least = min(calls_per_second, SLOWEST_CALLS_PER_SECOND)
        self._rate = calls_per_second
        self._since = float("-inf")
        self._cut_at = float("-inf")
        self._answers: deque[float] = deque(maxlen=ANSWERS_WATCHED)
        self._begun = 0
        self._refusals: deque[int] = deque(maxlen=REFUSALS_FOR_TROUBLE)

    def rate(self, now: float) -> float:
        """Calls per second that may start now, over all nodes."""
        if self._rate >= self._most:
            return self._most
        return min(self._most, self._rate + self._most * RECOVERED_PER_SECOND * max(0.0, now - self._since))

    def began(self, seconds: float, now: float) -> None:
        """Asterisk took a leg after so many seconds; it is in trouble when most of its latest answers were slow."""
        self._begun += 1
        self._answers.append(seconds)
        if len(self._answers) == ANSWERS_WATCHED and median(self._answers) > SLOW_ANSWER_SECONDS:
            self._answers.clear()
            self._slow_down(now)

    def rejected(self, now: float) -> None:
        """Asterisk did not take a leg at all."""
        self._slow_down(now)

    def refused(self, now: float) -> None:
        """The trunk had no room for a leg; it is in trouble when that happens to half of the latest ones.

        One alone is no trouble: carriers also say 503 of a single number that they cannot reach.
        """
        self._refusals.append(self._begun)
        if len(self._refusals) == REFUSALS_FOR_TROUBLE and self._begun - self._refusals[0] < LEGS_WATCHED:
            self._slow_down(now)

    def _slow_down(self, now: float) -> None:
        rate = self.rate(now)
        if now - self._cut_at >= LEAST_SECONDS_BETWEEN_CUTS:
            self._cut_at = now
            rate = max(self._least, rate / 2)
        self._rate, self._since = rate, now
