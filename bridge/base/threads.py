"""Work that would hold up the event loop is done beside it, in threads of a name and a number."""

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
    """At most ``count`` threads; what is more waits its turn. They are started when they are needed.

    Work that has begun is finished, also when nobody waits for it any more, and its thread is free again then; what has
    not begun by then never does. What is logged in a thread is about the same call as where the work was asked for.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return what ``work`` returns; raise what it raises."""
        return await self._hand_in(work, *args, **kwargs)

    def begin(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> asyncio.Future[_T]:
        """The same, but it is done even if nobody waits for it."""
        return asyncio.shield(self._hand_in(work, *args, **kwargs))

    def close(self, *, drop: bool = False) -> None:
        """Take no more; nobody waits. What was taken is still done, unless what has not begun is to be dropped."""
        self._pool.shutdown(wait=False, cancel_futures=drop)

    def join(self) -> None:
        """Take no more, and wait until all that was taken is done; for who may block."""
        self._pool.shutdown()

    def _hand_in(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> asyncio.Future[_T]:
        named = partial(copy_context().run, work, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(self._pool, named)


FILES = Threads("files", 4)
"""For what waits for a disk for a moment."""

LARGE = Threads("large", 4)
"""For what computes for longer than a turn of the loop may last: large requests and answers, digests of passwords."""
