"""Writing again and again until the database takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge.base.backoff import Backoff, Waits
from bridge.store.errors import StoreFailed

STORE_AWAY = Waits(first=1.0, longest=1.0, jitter=0.5)
"""Waits between tries while the database is away; jittered, since all nodes miss it at the same moment."""

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


async def until_stored(work: Callable[[], Awaitable[_T]]) -> _T:
    """Try until the store takes it: what happened on a call must not get lost while its database is away."""
    backoff = Backoff(STORE_AWAY)
    while True:
        try:
            return await work()
        except StoreFailed as error:
            _log.error("outcome_not_stored_yet", reason=error)
        await asyncio.sleep(backoff.failed())
