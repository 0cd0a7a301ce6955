"""Thread pools, for work that would hold up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads:
    """At most ``count`` threads, started when they are needed; work beyond that waits its turn.

    Work that has begun is finished, even when its caller is cancelled, and frees its thread only then; work that has
    not begun by then is never done. Log lines of a thread are about the same call as the caller's.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run ``work`` in a thread: return what it returns, raise what it raises."""
        return await self._hand_in(work, *args, **kwargs)

    def begin(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> asyncio.Future[_T]:
        """As `run`, but the work is done even if its caller is cancelled."""
        return asyncio.shield(self._hand_in(work, *args, **kwargs))

    def close(self, *, drop: bool = False) -> None:
        """Take no more work, without waiting. What was taken is still done; with ``drop``, only what has begun."""
        self._pool.shutdown(wait=False, cancel_futures=drop)

    def join(self) -> None:
        """Take no more work, and block until all that was taken is done."""
        self._pool.shutdown()

    def _hand_in(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> asyncio.Future[_T]:
        named = partial(copy_context().run, work, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(self._pool, named)


FILES = Threads("files", 4)
"""For short waits for a disk."""

LARGE = Threads("large", 4)
"""For computing that takes longer than a turn of the loop may: large requests and answers, password digests."""
