"""Synthesis of fragments: taken from the cache or from another node, or spoken by an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from bridge.base.threads import Threads
from bridge.speech.cache.cache import Cache, digest, seal, unseal
from bridge.speech.cache.shared_fragments import SharedFragments
from bridge.speech.chain import GuardedEngine, chain
from bridge.speech.engine import Engine, Voice
from bridge.speech.errors import EngineFailedError
from bridge.speech.phrase import Phrase
from bridge.speech.single_flight import SingleFlight
from bridge.speech.sound.fragment import fragment_sound
from bridge.speech.sound.samples import Samples, Waveform
from bridge.speech.voices import candidate_voices

PIPELINE_VERSION = 2
"""Part of every cache key: raise it when the same text and engine come to sound different."""

log = structlog.get_logger(__name__)
SoundByRate = Mapping[int, Samples]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice of an engine at a rate."""

    guarded: GuardedEngine
    voice: Voice
    rate: float

    def name(self, said: str | Sequence[str]) -> str:
        """The name by which the cache has ``said``, spoken by this speaker."""
        engine = self.guarded.engine
        voice = self.voice
        return digest(PIPELINE_VERSION, engine.name, engine.version, voice.name, voice.code, self.rate, said)


class Synthesis:
    """Speaks fragments with the engines, and keeps them; with ``shared`` nodes share them.

    Nothing here blocks the event loop.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        cache: Cache,
        threads: Threads,
        sample_rates: Sequence[int],
        shared: SharedFragments | None = None,
    ) -> None:
        self._engines = engines
        self._cache = cache
        self._shared = shared
        self._sample_rates = sample_rates
        self._chain = chain(engines)
        self._threads = threads
        self._under_way: SingleFlight[SoundByRate] = SingleFlight()

    async def start(self) -> None:
        """Raises EngineUnavailableError for an engine that lacks what it needs."""
        try:
            for engine in self._engines:
                await engine.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._under_way.close()
        await asyncio.gather(*(engine.close() for engine in self._engines))

    def candidates(self, phrase: Phrase) -> list[Speaker]:
        """Who may speak it, the one to be asked first in front."""
        return [
            Speaker(self._chain[voice.engine], voice, phrase.rate) for voice in candidate_voices(phrase, self._engines)
        ]

    async def able(self, candidates: Sequence[Speaker], texts: Sequence[str]) -> tuple[list[Speaker], list[str]]:
        """Who can speak all of the texts, in order; when nobody can, what the first would pass over."""
        unheard = [await speaker.guarded.unheard(texts, speaker.voice) for speaker in candidates]
        able = [speaker for speaker, missing in zip(candidates, unheard, strict=True) if not missing]
        return able, [] if able else unheard[0]

    async def sounds(self, speaker: Speaker, texts: Sequence[str], *, keep: bool) -> dict[str, SoundByRate]:
        """The sound of each text; raises EngineFailedError. ``keep``: cache it, and share it with other nodes."""
        sounds = await asyncio.gather(*(self._sound(speaker, text, keep) for text in texts))
        if not any(samples.size for sound in sounds for samples in sound.values()):
            raise EngineFailedError(f"{speaker.voice.engine} made no sound of the text")
        return dict(zip(texts, sounds, strict=True))

    async def _sound(self, speaker: Speaker, text: str, keep: bool) -> SoundByRate:
        name = speaker.name(text)
        return await self._under_way.run(name, partial(self._spoken, name, speaker, text, keep))

    async def _spoken(self, name: str, speaker: Speaker, text: str, keep: bool) -> SoundByRate:
        kept = await self._threads.run(self._kept, name)
        if kept is not None:
            return kept
        if keep and (elsewhere := await self._fetched(name)) is not None:
            await self._threads.run(self._keep, name, elsewhere)
            return elsewhere
        waveform = await speaker.guarded.synthesize(text, speaker.voice, speaker.rate)
        sound = await self._threads.run(self._heard, waveform)
        if keep:
            await self._threads.run(self._keep, name, sound)
            self._share(name, sound)
        return sound

    async def _fetched(self, name: str) -> SoundByRate | None:
        """The sound that another node made, if it is there at every sample rate."""
        if self._shared is None:
            return None
        sealed = await asyncio.gather(*(self._shared.get(_object(name, rate)) for rate in self._sample_rates))
        sound = {
            rate: samples
            for rate, one in zip(self._sample_rates, sealed, strict=True)
            if (samples := unseal(one)) is not None
        }
        return sound if len(sound) == len(self._sample_rates) else None

    def _share(self, name: str, sound: SoundByRate) -> None:
        if self._shared is not None and all(samples.size for samples in sound.values()):
            for rate, samples in sound.items():
                self._shared.put(_object(name, rate), seal(samples))

    def _kept(self, name: str) -> SoundByRate | None:
        sound = {}
        for sample_rate in self._sample_rates:
            samples = self._cache.fragment(name, sample_rate)
            if samples is None:
                return None
            sound[sample_rate] = samples
        return sound

    def _heard(self, waveform: Waveform) -> SoundByRate:
        return {rate: fragment_sound(waveform, rate) for rate in self._sample_rates}

    def _keep(self, name: str, sound: SoundByRate) -> None:
        try:
            for sample_rate, samples in sound.items():
                if samples.size:
                    self._cache.keep_fragment(name, sample_rate, samples)
        except OSError as error:
            log.warning("fragment not kept", reason=error.strerror)


def _object(name: str, sample_rate: int) -> str:
    return f"speech/{name}.{sample_rate}"
