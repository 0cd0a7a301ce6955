"""espeak-ng: local, fast, every language of the contract but Filipino."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from bridge.base.children import end, kill
from bridge.speech.engine import Voice
from bridge.speech.engines.espeak_ng.hearing import EspeakHearing
from bridge.speech.errors import EngineFailedError, EngineUnavailableError
from bridge.speech.sound.samples import Waveform
from bridge.speech.text.languages import LANGUAGES

WORKER = Path(__file__).with_name("worker.py")
FEMALE = "+f1"
"""The variant without an echo or breath, which would be heard in the pauses."""

WORDS_PER_MINUTE = 175
MOST_WORKERS = 4
TRIES = 3
BATCH = 500
"""Tokens asked for at once; some 20 ms of a worker's time, so that others may ask in between."""

READY_SECONDS = 4.0
"""What a worker takes to start is some 20 ms; one that has not by then is replaced within a request's time."""

PIPE_BUFFER = 1 << 20

_T = TypeVar("_T")

ENVIRONMENT = ("ESPEAK_DATA_PATH", "LD_LIBRARY_PATH")
"""All that a worker gets to see of ours: texts are hostile, and our environment holds secrets."""


class WorkerDiedError(Exception):
    """The process ended in the middle of a request, or did not become ready for one."""


class Worker:
    """One process of ``worker.py``, started when it is needed and anew after it died.

    Whatever does not go through (a crash, a timeout, a cancellation) ends the process, which would be out of step: the
    next request starts another one. Once the worker is closed it has no process and starts none.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turns = asyncio.Lock()
        self._closed = False
        self.sample_rate = 0
        self.version = ""

    async def start(self) -> None:
        """Raises WorkerDiedError, EngineUnavailableError with the library's message, EngineFailedError once closed."""
        async with self._turn():
            await self._running()

    async def speak(self, request: bytes) -> bytes:
        """The PCM for one line of JSON. Raises what ``start`` raises, and EngineFailedError with what failed."""
        async with self._turn():
            process = await self._running()
            await _write_request(process, request)
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
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            limit=PIPE_BUFFER,
        )
        self._must_be_open()
        try:
            async with asyncio.timeout(READY_SECONDS):
                failed, hello = await _read_answer(self._process)
        except TimeoutError as error:
            raise WorkerDiedError from error
        if failed:
            raise EngineUnavailableError(f"espeak-ng: {hello.decode()} (install libespeak-ng1)")
        about = json.loads(hello)
        self.sample_rate, self.version = about["sample_rate"], about["version"]
        return self._process

    def _must_be_open(self) -> None:
        if self._closed:
            raise EngineFailedError("espeak-ng: the engine is closed")

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


class EspeakEngine:
    """A pool of workers that speak, one for each processor up to four, and one more that is only asked.

    For the library may leave out the end of a text that it speaks after questions. ``timeout`` is seconds for one
    fragment. The first worker proves at the start that the library is there; the others start with the first request
    for them.
    """

    name = "espeak-ng"
    local = True

    def __init__(self, *, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self.concurrency = min(os.cpu_count() or 1, MOST_WORKERS)
        self.version = ""
        self._workers = [Worker() for _ in range(self.concurrency)]
        self._asked = Worker()
        self._hearing = EspeakHearing(self._phonemes)
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()

    async def start(self) -> None:
        first = self._workers[0]
        try:
            await _tried_again(first.start)
        except EngineFailedError as error:
            raise EngineUnavailableError(str(error)) from error
        self.version = first.version
        for worker in reversed(self._workers):
            self._idle.put_nowait(worker)

    async def close(self) -> None:
        await asyncio.gather(*(worker.close() for worker in (*self._workers, self._asked)))

    def languages(self) -> list[str]:
        return [code for code, language in LANGUAGES.items() if language.espeak]

    def voices(self, language: str) -> list[Voice]:
        row = LANGUAGES.get(language)
        if row is None or row.espeak is None:
            return []
        return [
            Voice(f"espeak-{language}-female", "female", self.name, row.espeak + FEMALE),
            Voice(f"espeak-{language}-male", "male", self.name, row.espeak),
        ]

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Waveform:
        fields = {"text": text, "voice": voice.code, "words_per_minute": round(WORDS_PER_MINUTE * rate)}
        worker = await self._idle.get()
        try:
            pcm = await _answer(worker, fields)
        finally:
            self._idle.put_nowait(worker)
        return Waveform(np.frombuffer(pcm, np.dtype("<i2")), worker.sample_rate)

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        return await self._hearing.unheard(texts, voice.code.removesuffix(FEMALE))

    async def _phonemes(self, voice: str, tokens: Sequence[str]) -> list[str]:
        """What a voice file would say of each token."""
        phonemes: list[str] = []
        for first in range(0, len(tokens), BATCH):
            batch = tokens[first : first + BATCH]
            phonemes += json.loads(await _answer(self._asked, {"tokens": batch, "voice": voice}))
        return phonemes


async def _answer(worker: Worker, fields: Mapping[str, object]) -> bytes:
    """Raises EngineFailedError."""
    return await _tried_again(partial(worker.speak, json.dumps(fields).encode() + b"\n"))


async def _tried_again(what: Callable[[], Awaitable[_T]]) -> _T:
    """A worker that dies (killed, or crashed by a text) is started anew and asked again. Raises EngineFailedError."""
    for _ in range(TRIES):
        try:
            return await what()
        except WorkerDiedError:
            continue
    raise EngineFailedError(f"espeak-ng: {TRIES} workers died one after the other")
