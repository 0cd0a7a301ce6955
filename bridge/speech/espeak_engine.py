"""espeak-ng: local, fast, every language of the contract but Filipino."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from bridge.speech.engine import Audio, Voice
from bridge.speech.errors import EngineFailedError, EngineUnavailableError
from bridge.speech.espeak_hearing import EspeakHearing
from bridge.speech.languages import LANGUAGES

WORKER = Path(__file__).with_name("espeak_worker.py")
FEMALE = "+f1"
"""The variant without an echo or breath, which would be heard in the pauses."""

WORDS_PER_MINUTE = 175
MOST_WORKERS = 4
TRIES = 3
BATCH = 500
"""Tokens asked for at once; some 20 ms of a worker's time."""

PIPE_BUFFER = 1 << 20

ENVIRONMENT = ("ESPEAK_DATA_PATH", "LD_LIBRARY_PATH")
"""All that a worker gets to see of ours: texts are hostile, and our environment holds secrets."""


class WorkerDiedError(Exception):
    """The process ended in the middle of a request."""


class Worker:
    """One process of ``espeak_worker.py``, started when it is needed and anew after it died."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._in_step = False
        self.sample_rate = 0
        self.version = ""

    async def start(self) -> None:
        await self.stop()
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
        failed, hello = await _read_answer(self._process)
        if failed:
            raise EngineUnavailableError(f"espeak-ng: {hello.decode()} (install libespeak-ng1)")
        about = json.loads(hello)
        self.sample_rate, self.version = about["sample_rate"], about["version"]
        self._in_step = True

    async def stop(self) -> None:
        self._in_step = False
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()
        self._process = None

    async def speak(self, request: bytes) -> bytes:
        """The PCM for one line of JSON; raises WorkerDiedError, or EngineFailedError with the library's message.

        A request that is given up half-way (by a timeout) leaves the worker out of step; the next one starts it anew.
        """
        if self._process is None or not self._in_step:
            await self.start()
        process = cast(asyncio.subprocess.Process, self._process)
        self._in_step = False
        await _write_request(process, request)
        failed, payload = await _read_answer(process)
        self._in_step = True
        if failed:
            raise EngineFailedError(payload.decode())
        return payload


async def _write_request(process: asyncio.subprocess.Process, request: bytes) -> None:
    stdin = cast(asyncio.StreamWriter, process.stdin)
    try:
        stdin.write(request)
        await stdin.drain()
    except (ConnectionError, RuntimeError) as error:  # RuntimeError is what uvloop says of a closed pipe
        await process.wait()
        raise WorkerDiedError from error


async def _read_answer(process: asyncio.subprocess.Process) -> tuple[bool, bytes]:
    """Whether the worker failed, and what it sent; raises WorkerDiedError."""
    stdout = cast(asyncio.StreamReader, process.stdout)
    try:
        (length,) = struct.unpack("<i", await stdout.readexactly(4))
        return length < 0, await stdout.readexactly(abs(length))
    except asyncio.IncompleteReadError as error:
        await process.wait()
        raise WorkerDiedError from error


class EspeakEngine:
    """A pool of workers, one for each processor up to four. ``timeout`` is seconds for one fragment.

    The first worker proves at the start that the library is there; the others start with the first request for them.
    """

    name = "espeak-ng"
    local = True

    def __init__(self, *, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self.concurrency = min(os.cpu_count() or 1, MOST_WORKERS)
        self.version = ""
        self._workers = [Worker() for _ in range(self.concurrency)]
        self._hearing = EspeakHearing(self._phonemes)
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()

    async def start(self) -> None:
        try:
            await self._workers[0].start()
        except WorkerDiedError as error:
            raise EngineUnavailableError("an espeak-ng worker ended as soon as it had started") from error
        self.version = self._workers[0].version
        for worker in reversed(self._workers):
            self._idle.put_nowait(worker)

    async def close(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

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

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Audio:
        fields = {"text": text, "voice": voice.code, "words_per_minute": round(WORDS_PER_MINUTE * rate)}
        worker, pcm = await self._answer(fields)
        return Audio(np.frombuffer(pcm, np.dtype("<i2")), worker.sample_rate)

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        return await self._hearing.unheard(texts, voice.code.removesuffix(FEMALE))

    async def _phonemes(self, voice: str, tokens: Sequence[str]) -> list[str]:
        """What a voice file would say of each token: a batch at a time, so that what is to be spoken gets its turn."""
        phonemes: list[str] = []
        for first in range(0, len(tokens), BATCH):
            _, answer = await self._answer({"tokens": tokens[first : first + BATCH], "voice": voice})
            phonemes += json.loads(answer)
        return phonemes

    async def _answer(self, fields: Mapping[str, object]) -> tuple[Worker, bytes]:
        request = json.dumps(fields).encode() + b"\n"
        worker = await self._idle.get()
        try:
            return worker, await self._speak(worker, request)
        finally:
            self._idle.put_nowait(worker)

    async def _speak(self, worker: Worker, request: bytes) -> bytes:
        """A worker that dies (killed, or crashed by a text) is started anew and asked again."""
        for _ in range(TRIES):
            try:
                return await worker.speak(request)
            except WorkerDiedError:
                continue
        raise EngineFailedError(f"{TRIES} workers died one after the other")
