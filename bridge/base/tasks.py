"""The parts of the daemon that must live as long as it does."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge.base.errors import VoicebridgeError

FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
"""Before a part that has died is started again; twice as long each time, and up to a half less by chance."""
LIVES_SECONDS = 60.0
"""A part that has lived so long is well again: what comes later is another trouble."""
CANNOT_LIVE_SECONDS = 600.0
"""A part that has not been well for so long ends the daemon."""

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


class PartCannotLive(VoicebridgeError):
    """A part of the daemon has died again and again: the daemon has stopped, to be started anew."""

    id = "PART_CANNOT_LIVE"
    exit_status = 4


class StrayCancellation(VoicebridgeError):
    """A part waited for something that somebody else has cancelled."""

    id = "STRAY_CANCELLATION"


class Part:
    """One part: how often it has died since it was last well. ``problem`` says so while it is down, else None."""

    def __init__(self, name: str, on_dead: Callable[[PartCannotLive], None]) -> None:
        self.name = name
        self.problem: str | None = None
        self._on_dead = on_dead
        self._deaths = 0
        self._first_death = 0.0
        self._alive_since = time.monotonic()

    def lives(self) -> None:
        """It works, again or still."""
        if self.problem is not None:
            self.problem, self._alive_since = None, time.monotonic()

    def died(self, error: Exception) -> float:
        """Note and log what it died of; return how many seconds to leave it alone."""
        now = time.monotonic()
        if self.problem is None and now - self._alive_since >= LIVES_SECONDS:
            self._deaths = 0
        if self._deaths == 0:
            self._first_death = now
        self._deaths += 1
        doubled: float = FIRST_REST_SECONDS * 2 ** min(self._deaths - 1, 10)
        rest = min(doubled, LONGEST_REST_SECONDS) * random.uniform(0.5, 1)  # noqa: S311 - no secret
        self.problem = f"failed {self._deaths} times ({type(error).__name__}), see the log"
        _log.error("part_failed", part=self.name, times=self._deaths, again_in_seconds=round(rest, 1), exc_info=error)
        if now - self._first_death >= CANNOT_LIVE_SECONDS:
            self._on_dead(PartCannotLive(f"{self.name} {self.problem}"))
        return rest


class Supervisor:
    """Starts what dies again, with growing rests. ``on_dead`` is told of a part that cannot live, more than once."""

    def __init__(self, on_dead: Callable[[PartCannotLive], None]) -> None:
        self._on_dead = on_dead
        self._parts: list[Part] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def problem(self) -> str | None:
        """The parts that are down; None when there are none."""
        return "; ".join(f"{part.name}: {part.problem}" for part in self._parts if part.problem) or None

    def part(self, name: str) -> Part:
        """A part that runs by itself, and tells how it fares."""
        self._parts.append(Part(name, self._on_dead))
        return self._parts[-1]

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Have ``work`` done until it returns, or ``stop``."""
        self._tasks.append(asyncio.create_task(_keep(self.part(name), work)))

    async def stop(self) -> None:
        """End what is kept, and wait for it."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def uncancelled(work: Awaitable[_T]) -> _T:
    """What the work returns. A cancellation that is not this task's own is an error, and ends nothing but the work.

    Raises StrayCancellation, and what the work raises.
    """
    try:
        return await work
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise StrayCancellation("what was waited for has been cancelled") from None


async def _keep(part: Part, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        part.lives()
        try:
            return await uncancelled(work())
        except Exception as error:
            rest = part.died(error)
        await asyncio.sleep(rest)
