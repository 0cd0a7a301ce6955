"""Circuit breaker: when an engine or a storage that failed is asked again."""

from __future__ import annotations

from bridge.base.backoff import Backoff, Waits

WAITS = Waits(first=5.0, longest=300.0)


class Breaker:
    """A circuit breaker: a failure opens it, a single trial after the wait decides whether it closes.

    Times are seconds on any monotonic clock. The wait doubles with each failed trial, from 5 s to 300 s. A trial whose
    outcome is never told counts as none: the next is allowed one wait later.
    """

    def __init__(self) -> None:
        self._backoff = Backoff(WAITS)
        self._wait = 0.0
        self._open_until: float | None = None
        self._on_trial = False

    def allows(self, now: float) -> bool:
        if self._open_until is None:
            return True
        if now < self._open_until:
            return False
        self._on_trial = True
        self._open_until = now + self._wait
        return True

    def failed(self, now: float) -> None:
        if self._open_until is not None and not self._on_trial:
            return  # it was under way when another failure opened the breaker
        self._on_trial = False
        self._wait = self._backoff.failed()
        self._open_until = now + self._wait

    def succeeded(self) -> None:
        self._backoff.reset()
        self._open_until = None
        self._on_trial = False
