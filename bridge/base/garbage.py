"""When Python looks for unreachable objects: nothing else runs while it looks through all, so that has its time."""

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
    """Work under way that has hundreds of thousands of objects for as long as it lasts."""

    def __init__(self) -> None:
        self.count = 0
        self.is_over = asyncio.Event()


_large_work = _LargeWork()


def settle() -> None:
    """Leave alone all that was imported, and look through old objects only when `collect` does."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


@contextmanager
def put_off() -> Iterator[None]:
    """Have nobody look through the many objects that live in here; they are gone, most of them at once, afterwards."""
    _large_work.count += 1
    try:
        yield
    finally:
        _large_work.count -= 1
        _large_work.is_over.set()


async def collect() -> None:
    """Look through old objects once a minute and after large work, and give memory back to the system; for ever."""
    while True:
        await is_set_within(_large_work.is_over, _SECONDS_BETWEEN)
        await _until_large_work_is_over()
        _large_work.is_over.clear()
        gc.collect()
        await LARGE.run(_give_back)


async def _until_large_work_is_over() -> None:
    for _ in range(_LONGEST_DELAY_SECONDS):
        await asyncio.sleep(1)  # what it had is let go of then
        if not _large_work.count:
            break


def _give_back() -> None:
    """What malloc(3) keeps for later; only the GNU library has it (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
