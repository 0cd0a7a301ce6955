"""A pool of worker processes of one engine, of which a free one answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from bridge.speech.errors import EngineFailedError, EngineUnavailableError
from bridge.speech.workers.process import WorkerDiedError, WorkerProcess, WorkerProgram

TRIES = 3

_T = TypeVar("_T")


class WorkerPool:
    """``size`` workers, each started with the first request for it; the one used last is asked first.

    A worker that dies (killed, or crashed by a text) is started anew and asked again.
    """

    def __init__(self, program: WorkerProgram, size: int) -> None:
        self._engine = program.engine
        self._workers = [WorkerProcess(program) for _ in range(size)]
        self._idle: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()
        for worker in reversed(self._workers):
            self._idle.put_nowait(worker)

    async def start(self) -> Mapping[str, Any]:
        """Start one worker, and return its hello: it proves that the engine has what it needs.

        Raises EngineUnavailableError.
        """
        first = self._workers[0]
        try:
            await self._tried_again(first.start)
        except EngineFailedError as error:
            raise EngineUnavailableError(str(error)) from error
        return first.hello

    async def ask(self, request: Mapping[str, object]) -> bytes:
        """The answer of a free worker. Raises EngineFailedError."""
        worker = await self._idle.get()
        try:
            return await self._tried_again(partial(worker.ask, request))
        finally:
            self._idle.put_nowait(worker)

    async def close(self) -> None:
        await asyncio.gather(*(worker.close() for worker in self._workers))

    async def _tried_again(self, what: Callable[[], Awaitable[_T]]) -> _T:
        for _ in range(TRIES):
            try:
                return await what()
            except WorkerDiedError:
                continue
        raise EngineFailedError(f"{self._engine}: {TRIES} workers died one after the other")
