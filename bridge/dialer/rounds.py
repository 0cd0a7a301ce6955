"""Rounds: work that is repeated in the background, after a rest or when it is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.base.backoff import Backoff, is_set_within
from bridge.base.tasks import Background, Part, uncancelled
from bridge.store import StoreFailed
from bridge.store.persistence import STORE_AWAY

_log = structlog.get_logger(__name__)

_SHORTEST_REST_SECONDS = 0.005


class Rounds:
    """Repeats ``work`` from ``start`` to ``stop``; it returns how many seconds to rest, None to rest until ``wake``.

    A round that fails is logged and followed by the next one: neither a database that is away for a while nor a fault
    of ours, of which ``part`` is told, may end the work for good. A round under way is always finished, so that it is
    known what it has committed.
    """

    def __init__(self, part: Part, work: Callable[[], Awaitable[float | None]]) -> None:
        self._part = part
        self._work = work
        self._awake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._rounds = Background("part_failed", logged_as={"part": part.name})

    def start(self) -> None:
        self._rounds.begin(self._run())

    def wake(self) -> None:
        """Do a round now, or another one after the present one."""
        self._awake.set()

    def stop_soon(self) -> None:
        """Begin no further round."""
        self._stopping.set()
        self._awake.set()

    async def stop(self) -> None:
        """Begin no further round, and wait for the present one."""
        self.stop_soon()
        await self._rounds.wait()

    async def _run(self) -> None:
        without_store = Backoff(STORE_AWAY)
        while not self._stopping.is_set():
            self._awake.clear()
            try:
                rest = await uncancelled(self._work())
            except StoreFailed as error:
                _log.error("store_failed", work=self._part.name, reason=error)
                await is_set_within(self._awake, without_store.failed())
            except Exception as error:
                await is_set_within(self._stopping, self._part.died(error))
            else:
                self._part.lives()
                without_store.reset()
                await is_set_within(self._awake, None if rest is None else max(rest, _SHORTEST_REST_SECONDS))
