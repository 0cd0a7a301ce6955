"""Tasks: the parts of the daemon that must live as long as it does, and work in the background that nobody awaits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import structlog

from bridge.base.backoff import Backoff, Waits
from bridge.base.errors import VoicebridgeError

RESTS = Waits(first=1.0, longest=30.0, jitter=0.5)
"""Before a part that has died is started again."""
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
        self._deaths = Backoff(RESTS)
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
            self._deaths.reset()
        if self._deaths.failures == 0:
            self._first_death = now
        rest, times = self._deaths.failed(), self._deaths.failures
        self.problem = f"failed {times} times ({type(error).__name__}), see the log"
        _log.error("part_failed", part=self.name, times=times, again_in_seconds=round(rest, 1), exc_info=error)
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
        tasks, self._tasks = self._tasks, []  # a task that was cancelled holds on to all that it had in hand
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class Background:
    """Work that nobody waits for while it goes on, piece by piece.

    What fails ends alone, and is logged as ``event`` with ``logged_as``. ``on_over`` is called after each piece, also
    one that was cancelled.
    """

    def __init__(self, event: str, on_over: Callable[[], None] = lambda: None, **logged_as: object) -> None:
        self._event = event
        self._on_over = on_over
        self._logged_as = logged_as
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many pieces are under way."""
        return len(self._tasks)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done. What is logged meanwhile is about the same call as here."""
        task = asyncio.create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(partial(self._over, work))

    def cancel(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until what is under way now is over, at most so many seconds; return whether all of it is."""
        if not self._tasks:
            return True
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        return not late

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            _log.exception(self._event, **self._logged_as)

    def _over(self, work: Coroutine[Any, Any, None], task: asyncio.Task[None]) -> None:
        work.close()  # it has never begun when it was cancelled at once
        self._tasks.discard(task)
        self._on_over()


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
