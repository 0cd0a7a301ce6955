"""Trying until the database takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge.store.errors import StoreFailed

_AGAIN_SECONDS = 1.0

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


async def until_stored(work: Callable[[], Awaitable[_T]]) -> _T:
    """Try until the store takes it: what happened on a call must not get lost while its database is away."""
    while True:
        try:
            return await work()
        except StoreFailed as error:
            _log.error("outcome_not_stored_yet", reason=error)
            await asyncio.sleep(_AGAIN_SECONDS)
