"""The engine espeak-ng: its voices, spoken by worker processes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bridge.speech.engine import EngineEntry, EngineSettings, Voice
from bridge.speech.engines.espeak_ng.coverage import Coverage
from bridge.speech.engines.espeak_ng.languages import VOICE_FILES
from bridge.speech.sound.samples import Waveform
from bridge.speech.workers.pool import WorkerPool
from bridge.speech.workers.process import WorkerProgram

NAME = "espeak-ng"
PROGRAM = WorkerProgram(
    engine=NAME,
    file=Path(__file__).with_name("worker.py"),
    options=("-I", "-S"),
    environment=("ESPEAK_DATA_PATH", "LD_LIBRARY_PATH"),
)

FEMALE = "+f1"
"""The female variant without echo and breath, which would be heard in the pauses."""

WORDS_PER_MINUTE = 175
MOST_WORKERS = 4
BATCH = 500
"""Tokens asked for at once; some 20 ms of a worker's time, so that others may ask in between."""


class EspeakEngine:
    """espeak-ng in worker processes: one for each processor, up to four, and one more for questions about characters.

    That one never speaks: after questions the library may leave out the end of a text.
    """

    name = NAME
    local = True

    def __init__(self, settings: EngineSettings) -> None:
        self.timeout = settings.timeout
        self.concurrency = min(os.cpu_count() or 1, MOST_WORKERS)
        self.version = ""
        self._sample_rate = 0
        self._speaking = WorkerPool(PROGRAM, self.concurrency)
        self._asked = WorkerPool(PROGRAM, 1)
        self._coverage = Coverage(self._phonemes)

    async def start(self) -> None:
        hello = await self._speaking.start()
        self.version, self._sample_rate = hello["version"], hello["sample_rate"]

    async def close(self) -> None:
        await asyncio.gather(self._speaking.close(), self._asked.close())

    def languages(self) -> list[str]:
        return list(VOICE_FILES)

    def voices(self, language: str) -> list[Voice]:
        file = VOICE_FILES.get(language)
        if file is None:
            return []
        return [
            Voice(f"espeak-{language}-female", "female", self.name, file + FEMALE),
            Voice(f"espeak-{language}-male", "male", self.name, file),
        ]

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Waveform:
        fields = {"text": text, "voice": voice.code, "words_per_minute": round(WORDS_PER_MINUTE * rate)}
        pcm = await self._speaking.ask(fields)
        return Waveform(np.frombuffer(pcm, np.dtype("<i2")), self._sample_rate)

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        return await self._coverage.unheard(texts, voice.code.removesuffix(FEMALE))

    async def _phonemes(self, voice: str, tokens: Sequence[str]) -> list[str]:
        """The phonemes that a voice file makes of each token."""
        phonemes: list[str] = []
        for first in range(0, len(tokens), BATCH):
            batch = tokens[first : first + BATCH]
            phonemes += json.loads(await self._asked.ask({"tokens": batch, "voice": voice}))
        return phonemes


ENGINE = EngineEntry(
    build=EspeakEngine,
    remedy="Install the packages espeak-ng and libespeak-ng1.",
    where="this machine",
    languages="all but Filipino",
    needs="the library `libespeak-ng1` with its data",
    notes="the default; works offline, nothing leaves the house",
)
