"""Text in, files that Asterisk plays out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from bridge.speech.assembly import assemble
from bridge.speech.cache import Cache, digest
from bridge.speech.chain import Link, chain
from bridge.speech.codec import CODECS
from bridge.speech.engine import Audio, Engine, Samples, Voice
from bridge.speech.errors import (
    EngineFailedError,
    EngineUnavailableError,
    NothingToSayError,
    SpeechError,
    SpeechNotStoredError,
)
from bridge.speech.fragments import fragments
from bridge.speech.once import Once
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.sound import fragment_sound
from bridge.speech.voices import casting, voices_in

PIPELINE_VERSION = 1
"""Part of every cache key: raise it when the same text and engine come to sound different."""

THREADS = 2

log = structlog.get_logger(__name__)
T = TypeVar("T")
SoundByRate = Mapping[int, Samples]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice of an engine at a rate."""

    link: Link
    voice: Voice
    rate: float

    def name(self, said: str | Sequence[str]) -> str:
        """The cache's name for something this speaker says."""
        engine = self.link.engine
        voice = self.voice
        return digest(PIPELINE_VERSION, engine.name, engine.version, voice.name, voice.code, self.rate, said)


class Speech:
    """Makes prompts with the engines in their order, and keeps them.

    ``codecs`` are the trunks' codecs (``ulaw``, ``alaw``, ``g722``). Nothing here blocks the event loop.
    """

    def __init__(self, *, cache_dir: Path, codecs: Sequence[str] = ("ulaw", "alaw"), engines: Sequence[Engine]) -> None:
        self._codecs = [CODECS[name] for name in codecs]
        self._sample_rates = sorted({codec.sample_rate for codec in self._codecs})
        self._engines = list(engines)
        self._links = chain(self._engines)
        self._cache = Cache(cache_dir)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="speech")
        self._prompts: Once[Prompt] = Once()
        self._fragments: Once[SoundByRate] = Once()

    async def start(self) -> None:
        """Raises EngineUnavailableError for an engine that lacks what it needs."""
        try:
            for engine in self._engines:
                await engine.start()
        except EngineUnavailableError:
            await self.close()
            raise

    async def close(self) -> None:
        await self._prompts.close()
        await self._fragments.close()
        await asyncio.gather(*(engine.close() for engine in self._engines))
        self._threads.shutdown(wait=False)

    def languages(self) -> list[str]:
        """Codes of the wire contract that the engines speak."""
        return sorted({code for engine in self._engines for code in engine.languages()})

    def voices(self, language: str) -> list[Voice]:
        """The default first; empty for a language that no engine speaks."""
        return voices_in(language, self._engines)

    def check(self, phrase: Phrase) -> None:
        """Raises at once what ``prepare`` would: LanguageUnsupportedError, VoiceUnknownError, NothingToSayError."""
        casting(phrase, self._engines)
        _pieces(phrase)

    async def prepare(self, phrase: Phrase) -> Prompt:
        """The phrase as files: from the cache, or spoken by the first engine in line that can.

        Raises what ``check`` raises, SpeechNotStoredError, and SpeechError when every engine failed.
        """
        pieces = _pieces(phrase)
        reasons = []
        for voice in casting(phrase, self._engines):
            speaker = Speaker(self._links[voice.engine], voice, phrase.rate)
            name = speaker.name(pieces)
            try:
                return await self._prompts.run(name, partial(self._prompt, name, speaker, pieces))
            except EngineFailedError as error:
                reasons.append(str(error))
        raise SpeechError("; ".join(reasons))

    async def _prompt(self, name: str, speaker: Speaker, pieces: Sequence[str]) -> Prompt:
        kept = await self._in_thread(self._cache.prompt, name, [codec.name for codec in self._codecs])
        if kept is not None:
            return kept
        texts = sorted({piece for piece in pieces if piece})
        sounds = await asyncio.gather(*(self._fragment(speaker, text) for text in texts))
        if not any(samples.size for sound in sounds for samples in sound.values()):
            raise EngineFailedError(f"{speaker.voice.engine} made no sound of the text")
        by_text = dict(zip(texts, sounds, strict=True))
        try:
            return await self._in_thread(self._assemble_and_keep, name, speaker.voice, pieces, by_text)
        except OSError as error:
            raise SpeechNotStoredError(f"speech cannot be stored: {error.strerror}") from error

    def _assemble_and_keep(
        self, name: str, voice: Voice, pieces: Sequence[str], sounds: Mapping[str, SoundByRate]
    ) -> Prompt:
        files, seconds = assemble(pieces, sounds, self._codecs)
        return self._cache.keep_prompt(name, files, seconds=seconds, engine=voice.engine, voice=voice.name)

    async def _fragment(self, speaker: Speaker, text: str) -> SoundByRate:
        name = speaker.name(text)
        return await self._fragments.run(name, partial(self._spoken, name, speaker, text))

    async def _spoken(self, name: str, speaker: Speaker, text: str) -> SoundByRate:
        kept = await self._in_thread(self._kept_fragment, name)
        if kept is not None:
            return kept
        audio = await speaker.link.synthesize(text, speaker.voice, speaker.rate)
        return await self._in_thread(self._sound_and_keep, name, audio)

    def _kept_fragment(self, name: str) -> SoundByRate | None:
        sound = {}
        for sample_rate in self._sample_rates:
            samples = self._cache.fragment(name, sample_rate)
            if samples is None:
                return None
            sound[sample_rate] = samples
        return sound

    def _sound_and_keep(self, name: str, audio: Audio) -> SoundByRate:
        sound = {rate: fragment_sound(audio, rate) for rate in self._sample_rates}
        try:
            for sample_rate, samples in sound.items():
                if samples.size:
                    self._cache.keep_fragment(name, sample_rate, samples)
        except OSError as error:
            log.warning("fragment not kept", reason=error.strerror)
        return sound

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *arguments))


def _pieces(phrase: Phrase) -> tuple[str, ...]:
    pieces = fragments(phrase.text)
    if not any(pieces):
        raise NothingToSayError("the text has nothing that can be spoken")
    return pieces
