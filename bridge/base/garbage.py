"""Garbage collection: a full one stops all else, so it runs once a minute, and after large work, not during it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.base.backoff import is_set_within
from bridge.base.threads import LARGE

_SECONDS_BETWEEN = 60.0
_LONGEST_DELAY_SECONDS = 600
_NEVER = 1_000_000_000


class _LargeWork:
    """Counts the work under way that holds hundreds of thousands of objects until it is over."""

    def __init__(self) -> None:
        self.count = 0
        self.is_over = asyncio.Event()


_large_work = _LargeWork()


def settle() -> None:
    """Exempt all that was imported from collection, and have old objects looked through only by `collect`."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


@contextmanager
def put_off() -> Iterator[None]:
    """Put off full collections while many objects live in the block; most of them are gone at once at its end."""
    _large_work.count += 1
    try:
        yield
    finally:
        _large_work.count -= 1
        _large_work.is_over.set()


async def collect() -> None:
    """Collect fully once a minute and after large work, and give memory back to the system; until cancelled."""
    while True:
        await is_set_within(_large_work.is_over, _SECONDS_BETWEEN)
        await _until_large_work_is_over()
        _large_work.is_over.clear()
        gc.collect()
        await LARGE.run(_give_back)


async def _until_large_work_is_over() -> None:
    for _ in range(_LONGEST_DELAY_SECONDS):
        await asyncio.sleep(1)  # by then it has let go of its objects
        if not _large_work.count:
            break


def _give_back() -> None:
    """Give back what malloc(3) keeps for later, by malloc_trim(3), which only the GNU C library has."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
