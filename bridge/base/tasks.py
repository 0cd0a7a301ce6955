"""Supervised tasks: parts of the daemon that must live as long as it does, and background work that nobody awaits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import copy_context
from types import MappingProxyType
from typing import Any, TypeVar

import structlog

from bridge.base.backoff import Backoff, Waits
from bridge.base.errors import VoicebridgeError

RESTS = Waits(first=1.0, longest=30.0, jitter=0.5)
"""Waits before a part that has died is started again."""
LIVES_SECONDS = 60.0
"""A part that has lived so long is well again: a later death begins a new count."""
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
    """One part of the daemon, and how often it has died since it was last well.

    ``problem`` says so while it is down; else it is None.
    """

    def __init__(self, name: str, on_dead: Callable[[PartCannotLive], None]) -> None:
        self.name = name
        self.problem: str | None = None
        self._on_dead = on_dead
        self._deaths = Backoff(RESTS)
        self._first_death = 0.0
        self._alive_since = time.monotonic()

    def lives(self) -> None:
        """Note that it works, again or still."""
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
    """Restarts parts that die, with growing waits.

    ``on_dead`` is told, perhaps more than once, of a part that cannot live.
    """

    def __init__(self, on_dead: Callable[[PartCannotLive], None]) -> None:
        self._on_dead = on_dead
        self._parts: list[Part] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def problem(self) -> str | None:
        """The parts that are down; None when there are none."""
        return "; ".join(f"{part.name}: {part.problem}" for part in self._parts if part.problem) or None

    def part(self, name: str) -> Part:
        """Add a part that runs by itself, and tells how it fares."""
        self._parts.append(Part(name, self._on_dead))
        return self._parts[-1]

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work``, and restart it when it fails, until it returns or until ``stop``."""
        self._tasks.append(asyncio.create_task(_keep(self.part(name), work)))

    async def stop(self) -> None:
        """Cancel what `keep` runs, and wait for it."""
        tasks, self._tasks = self._tasks, []  # a cancelled task keeps its objects alive
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class Background:
    """Background work: coroutines that run as tasks which nobody awaits.

    One that fails is logged as ``event`` with ``logged_as``, and disturbs no other. ``on_over`` is called after each,
    also after one that was cancelled.
    """

    def __init__(
        self,
        event: str,
        *,
        logged_as: Mapping[str, object] = MappingProxyType({}),
        on_over: Callable[[], None] = lambda: None,
    ) -> None:
        self._event = event
        self._logged_as = logged_as
        self._on_over = on_over
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many are under way, without those that have ended and whose ``on_over`` is yet to be called."""
        return sum(not task.done() for task in self._tasks)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` as a task. Its log lines are about the same call as the caller's."""
        context = copy_context()
        task = asyncio.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._over, context=context)

    def cancel(self) -> None:
        """Cancel all that are under way."""
        for task in self._tasks:
            task.cancel()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until what is under way now is over, at most so many seconds; return whether all of it is."""
        if not self._tasks:
            return True
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        return not late

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error(self._event, **self._logged_as, exc_info=error)
        self._on_over()


async def uncancelled(work: Awaitable[_T]) -> _T:
    """Return what the work returns; a cancellation that is not this task's own ends only the work, as an error.

    Raises StrayCancellation then, and what the work raises.
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
