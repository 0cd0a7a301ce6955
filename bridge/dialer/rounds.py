"""Work that is done again and again in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.store import StoreFailed

_log = structlog.get_logger(__name__)

_REST_AFTER_FAILURE_SECONDS = 1.0
_SHORTEST_REST_SECONDS = 0.005


class Rounds:
    """Does ``work`` from ``start`` to ``stop``; it returns how many seconds to rest, None to rest until ``wake``.

    A round that fails is logged and followed by the next one: a database that is away for a while, or a fault of ours,
    must not end the work for good. A round under way is always finished: what it has committed is then known.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[float | None]]) -> None:
        self._name = name
        self._work = work
        self._awake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Do a round now, or another one after the present one."""
        self._awake.set()

    def stop_soon(self) -> None:
        """Begin no further round."""
        self._stopping = True
        self._awake.set()

    async def stop(self) -> None:
        """Begin no further round, and wait for the present one."""
        self.stop_soon()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._stopping:
            self._awake.clear()
            await self._rest(await self._round())

    async def _round(self) -> float | None:
        try:
            return await self._work()
        except StoreFailed as error:
            _log.error("store_failed", work=self._name, reason=str(error))
        except Exception:
            _log.exception("round_failed", work=self._name)
        return _REST_AFTER_FAILURE_SECONDS

    async def _rest(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(None if seconds is None else max(seconds, _SHORTEST_REST_SECONDS)):
                await self._awake.wait()
        except TimeoutError:
            return
