"""Prompts made of audio files: downloaded, uploaded, or recorded on a call."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bridge.base.threads import Threads
from bridge.speech.audio_files.downloads import Downloads
from bridge.speech.cache.cache import Cache, digest
from bridge.speech.errors import AudioNotDownloaded, AudioUnsupported, storing
from bridge.speech.phrase import Prompt
from bridge.speech.single_flight import SingleFlight
from bridge.speech.sound.assembly import EncodedPrompt, finish, together
from bridge.speech.sound.audible import is_audible
from bridge.speech.sound.codec import Codec
from bridge.speech.sound.decoding import FORMATS, AudioFile, decode
from bridge.speech.sound.level import levelled

AUDIO_VERSION = 2
"""Part of every cache key: raise it when the same file comes to sound different."""

ENGINE = "audio"
"""What a prompt made of a file has in place of its engine's name."""

DECODED_AT_ONCE = 2
MOST_KNOWN = 10_000
FAILURE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a URL gave nothing to play; it is not fetched again before ``until`` (seconds of ``time.monotonic``)."""

    error: AudioNotDownloaded | AudioUnsupported
    until: float


class AudioFiles:
    """Makes prompts of downloads, uploads and recordings, and keeps them in the cache."""

    def __init__(self, *, cache: Cache, downloads: Downloads, codecs: Sequence[Codec]) -> None:
        self._cache = cache
        self._downloads = downloads
        self._codecs = codecs
        self._threads = Threads("audio", DECODED_AT_ONCE)  # threads of its own, so that long files do not delay texts
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)
        self._under_way: SingleFlight[Prompt] = SingleFlight()
        self._known: OrderedDict[str, str | Failure] = OrderedDict()

    async def close(self) -> None:
        await self._under_way.close()
        self._threads.close()

    async def at(self, url: str, fetched_for: str) -> Prompt:
        """The prompt of the file at a URL, which is fetched once for all with the same ``fetched_for``."""
        key = digest(fetched_for, url)
        return await self._under_way.run(key, partial(self._fetched, key, url))

    async def prompt(self, source: str, data: bytes, formats: Sequence[str] = FORMATS) -> Prompt:
        """The prompt that the cache has of ``source``, or one made of ``data``.

        Raises AudioUnsupported, also for silence, and SpeechNotStoredError.
        """
        return await self._kept(source) or await self._made(source, data, formats)

    async def decoded(
        self, file: AudioFile, *, formats: Sequence[str] = FORMATS, must_be_heard: bool = False
    ) -> EncodedPrompt:
        """The sound of a file in every codec. Raises AudioUnsupported; with ``must_be_heard`` also for silence."""
        made = []
        async with self._decoding:
            for sample_rate in {codec.sample_rate for codec in self._codecs}:
                samples = await decode(file, sample_rate, formats)
                at_level = await self._threads.run(levelled, samples, sample_rate)
                if must_be_heard and not await self._threads.run(is_audible, at_level, sample_rate):
                    raise AudioUnsupported("nothing is to be heard in the file")
                made.append(await self._threads.run(finish, at_level, sample_rate, self._codecs))
        return together(made)

    async def decoded_data(
        self, data: bytes, *, formats: Sequence[str] = FORMATS, must_be_heard: bool = False
    ) -> EncodedPrompt:
        """Like ``decoded``, of a file's bytes."""
        with _in_memory(data) as file:
            return await self.decoded(file, formats=formats, must_be_heard=must_be_heard)

    async def _fetched(self, key: str, url: str) -> Prompt:
        match self._known.get(key):
            case str(source) if prompt := await self._kept(source):
                return prompt
            case Failure(error, until) if time.monotonic() < until:
                raise type(error)(str(error))
        try:
            data = await self._downloads.fetch(url)
            source = hashlib.sha256(data).hexdigest()
            prompt = await self.prompt(source, data)
        except (AudioNotDownloaded, AudioUnsupported) as error:
            self._remember(key, Failure(error, time.monotonic() + FAILURE_SECONDS))
            raise
        self._remember(key, source)
        return prompt

    async def _kept(self, source: str) -> Prompt | None:
        return await self._threads.run(self._cache.prompt, _name(source), [codec.name for codec in self._codecs])

    async def _made(self, source: str, data: bytes, formats: Sequence[str]) -> Prompt:
        made = await self.decoded_data(data, formats=formats, must_be_heard=True)
        with storing():
            return await self._threads.run(self._cache.keep_prompt, _name(source), made, engine=ENGINE, voice="")

    def _remember(self, key: str, outcome: str | Failure) -> None:
        self._known[key] = outcome
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _name(source: str) -> str:
    """The name by which the cache has a file's prompt."""
    return digest(AUDIO_VERSION, ENGINE, source)


@contextmanager
def _in_memory(data: bytes) -> Iterator[AudioFile]:
    """A file that ffmpeg can seek in and that is on no disk."""
    with os.fdopen(os.memfd_create("audio"), "w+b") as file:
        file.write(data)
        file.flush()
        yield AudioFile(f"/dev/fd/{file.fileno()}", (file.fileno(),))
