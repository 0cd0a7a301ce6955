"""Trying until the database takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge.base.backoff import Backoff, Waits
from bridge.store.errors import StoreFailed

WHILE_AWAY = Waits(first=1.0, longest=1.0, jitter=0.5)
"""Between tries while the database is away: all nodes miss it at the same moment, and are not to be back at once."""

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


async def until_stored(work: Callable[[], Awaitable[_T]]) -> _T:
    """Try until the store takes it: what happened on a call must not get lost while its database is away."""
    backoff = Backoff(WHILE_AWAY)
    while True:
        try:
            return await work()
        except StoreFailed as error:
            _log.error("outcome_not_stored_yet", reason=error)
        await asyncio.sleep(backoff.failed())
