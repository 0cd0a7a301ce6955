"""One worker process of an engine: its start, its requests, its end."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bridge.base.children import end, kill
from bridge.speech.errors import EngineFailedError, EngineUnavailableError

MAIN = Path(__file__).with_name("main.py")

READY_SECONDS = 4.0
"""A worker starts in some 20 ms; one that is not ready by then is replaced, still within a request's timeout."""

PIPE_BUFFER = 1 << 20


class WorkerDiedError(Exception):
    """The process ended in the middle of a request, or did not become ready for one."""


@dataclass(frozen=True, slots=True)
class WorkerProgram:
    """What a worker runs for its engine: ``file`` is loaded by ``main.py``, which says what stands in it.

    ``options`` are Python's own. ``environment`` names the only variables that the worker gets of ours: texts are
    hostile, and our environment holds secrets.
    """

    engine: str
    file: Path
    options: tuple[str, ...]
    environment: tuple[str, ...]


class WorkerProcess:
    """A process that is started when it is needed, and again after it died; it takes one request at a time.

    A request that does not go through (a crash, a timeout, a cancellation) ends the process, since its next answer
    would belong to that request: the next one starts another process. Once the worker is closed it has no process and
    starts none. ``hello`` is what it told of itself when it started.
    """

    def __init__(self, program: WorkerProgram) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._turns = asyncio.Lock()
        self._closed = False
        self.hello: Mapping[str, Any] = {}

    async def start(self) -> None:
        """Raises WorkerDiedError, EngineUnavailableError with what is missing, EngineFailedError once closed."""
        async with self._turn():
            await self._running()

    async def ask(self, request: Mapping[str, object]) -> bytes:
        """The answer. Raises what ``start`` raises, and EngineFailedError with what failed."""
        async with self._turn():
            process = await self._running()
            await _write_request(process, json.dumps(request).encode() + b"\n")
            failed, payload = await _read_answer(process)
        if failed:
            raise EngineFailedError(payload.decode())
        return payload

    async def close(self) -> None:
        self._closed = True
        if self._process is not None:
            kill(self._process)  # so that whoever waits for its answer does so no longer
        async with self._turns:
            await self._end()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with self._turns:
            try:
                yield
            except BaseException:
                await self._end()
                raise

    async def _running(self) -> asyncio.subprocess.Process:
        self._must_be_open()
        if self._process is not None:
            return self._process
        program = self._program
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program.options,
            str(MAIN),
            str(program.file),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in program.environment if name in os.environ},
            limit=PIPE_BUFFER,
        )
        self._must_be_open()
        try:
            async with asyncio.timeout(READY_SECONDS):
                failed, hello = await _read_answer(self._process)
        except TimeoutError as error:
            raise WorkerDiedError from error
        if failed:
            raise EngineUnavailableError(f"{program.engine}: {hello.decode()}")
        self.hello = json.loads(hello)
        return self._process

    def _must_be_open(self) -> None:
        if self._closed:
            raise EngineFailedError(f"{self._program.engine}: the engine is closed")

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end(process)


async def _write_request(process: asyncio.subprocess.Process, request: bytes) -> None:
    stdin = cast(asyncio.StreamWriter, process.stdin)
    try:
        stdin.write(request)
        await stdin.drain()
    except (ConnectionError, RuntimeError) as error:  # RuntimeError is what uvloop says of a closed pipe
        raise WorkerDiedError from error


async def _read_answer(process: asyncio.subprocess.Process) -> tuple[bool, bytes]:
    """Whether the worker failed, and what it sent; raises WorkerDiedError."""
    stdout = cast(asyncio.StreamReader, process.stdout)
    try:
        (length,) = struct.unpack("<i", await stdout.readexactly(4))
        return length < 0, await stdout.readexactly(abs(length))
    except asyncio.IncompleteReadError as error:
        raise WorkerDiedError from error
