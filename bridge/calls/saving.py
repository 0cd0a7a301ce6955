"""Storing the progress of a call, soon and not too often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.base.backoff import Backoff
from bridge.base.tasks import Background
from bridge.store import StoreFailed
from bridge.store.persistence import STORE_AWAY

SOON_SECONDS = 0.1
AT_ONCE_WITHIN_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class ProgressWriter:
    """Calls ``write`` once for all that was new within a tenth of a second, until ``close``."""

    def __init__(self, write: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self._is_due = False
        self._writing = Background("progress_not_kept")

    def soon(self) -> None:
        """Have it written soon: there is something new."""
        self._is_due = True
        if not self._writing:
            self._writing.begin(self._keep())

    async def now(self) -> None:
        """Write at once; go on without it when that takes longer than a second."""
        try:
            async with asyncio.timeout(AT_ONCE_WITHIN_SECONDS):
                await self._write()
        except (TimeoutError, StoreFailed) as error:
            _log.warning("progress_not_stored", reason=error)

    def close(self) -> None:
        """Write nothing more: the call is over."""
        self._writing.cancel()

    async def _keep(self) -> None:
        backoff, wait = Backoff(STORE_AWAY), SOON_SECONDS
        while self._is_due:
            await asyncio.sleep(wait)
            self._is_due, wait = False, SOON_SECONDS
            try:
                await self._write()
            except StoreFailed as error:
                _log.warning("progress_not_stored", reason=error)
                self._is_due, wait = True, backoff.failed()
