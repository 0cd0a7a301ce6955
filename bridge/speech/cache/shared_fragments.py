"""Fragments that nodes share through object storage; while it is slow or down, each node makes its own."""

from __future__ import annotations

import asyncio
import time

import structlog

from bridge.base.objects import ObjectNotThere, Objects, ObjectStorageFailed
from bridge.base.tasks import Background
from bridge.speech.breaker import Breaker

LOOK_SECONDS = 0.5
"""The longest that a phrase waits for a fragment that another node may have made."""

MOST_WAITING = 200

log = structlog.get_logger(__name__)


class SharedFragments:
    """A cache that all nodes share. Nothing here raises: what cannot be fetched, or stored, counts as missing.

    A failure opens a circuit breaker, and object storage is left alone for 5 s, then longer.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._breaker = Breaker()
        self._waiting: dict[str, bytes] = {}
        self._putting = Background("speech_not_shared")

    async def close(self) -> None:
        """Drop what was not stored yet."""
        self._putting.cancel()
        await self._putting.wait()

    async def get(self, key: str) -> bytes | None:
        """The object; None when there is none, or it takes too long."""
        if not self._breaker.allows(time.monotonic()):
            return None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                data = await self._objects.get(key)
        except ObjectNotThere:
            data = None
        except (ObjectStorageFailed, TimeoutError) as error:
            self._failed(str(error) or f"no answer within {LOOK_SECONDS} s")
            return None
        self._breaker.succeeded()
        return data

    def put(self, key: str, data: bytes) -> None:
        """Store an object in the background, one after the other; it is dropped when too many wait."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting[key] = data
        if not self._putting:
            self._putting.begin(self._put_all())

    async def _put_all(self) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            data = self._waiting.pop(key)
            if not self._breaker.allows(time.monotonic()):
                continue
            try:
                await self._objects.put(key, data)
            except ObjectStorageFailed as error:
                self._failed(str(error))
            else:
                self._breaker.succeeded()

    def _failed(self, reason: str) -> None:
        self._breaker.failed(time.monotonic())
        log.warning("speech_not_shared", reason=reason)
