"""Where work that blocks is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from bridge.speech.errors import SpeechNotStoredError

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2


class Threads:
    """Two threads, so that a burst of work leaves processors to the calls."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=name)

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))

    def begin(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """It is done even if nobody waits for it any more."""
        begun = asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))
        return asyncio.shield(begun)

    async def store(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``work`` writes files; raises SpeechNotStoredError when it cannot."""
        try:
            return await self.run(work, *args, **kwargs)
        except OSError as error:
            raise SpeechNotStoredError(f"speech cannot be stored: {error.strerror}") from error
