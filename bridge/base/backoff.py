"""Backoff: how long to wait before a failed thing is tried again, and waiting that can be cut short."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits between tries: ``first`` seconds, then ``factor`` times as long each time, up to ``longest``.

    Each is shortened by a random share of up to ``jitter`` (0 to 1), so that those that failed together do not come
    back together.
    """

    first: float
    longest: float
    factor: float = 2.0
    jitter: float = 0.0


class Backoff:
    """Counts failures in a row, and says how long to wait after each."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self.reset()

    def reset(self) -> None:
        """Begin again with the first wait: it works now."""
        self.failures = 0
        self._next = self._waits.first

    def failed(self) -> float:
        """Count a failure; return for how many seconds to wait."""
        self.failures += 1
        wait = min(self._next, self._waits.longest)
        self._next = wait * self._waits.factor
        return wait * (1 - random.uniform(0, self._waits.jitter))  # noqa: S311 - no secret


async def is_set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until the event is set, at most so many seconds (None: for ever); return whether it was."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
