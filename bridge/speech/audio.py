"""Audio that was recorded, not synthesized, made into prompts."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from bridge.speech.assembly import finish
from bridge.speech.cache import Cache, digest
from bridge.speech.codec import Codec
from bridge.speech.decoding import decode
from bridge.speech.downloads import Downloads
from bridge.speech.errors import AudioNotDownloaded, AudioUnsupported
from bridge.speech.once import Once
from bridge.speech.phrase import Prompt
from bridge.speech.threads import Threads

AUDIO_VERSION = 1
"""Part of every cache key: raise it when the same file comes to sound different."""

ENGINE = "audio"
"""What stands in the place of an engine's name."""

DECODED_AT_ONCE = 2
MOST_KNOWN = 10_000
FAILURE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a URL gave nothing to play; it is not asked again before ``until``, on the monotonic clock."""

    error: AudioNotDownloaded | AudioUnsupported
    until: float


class AudioFiles:
    """Sound of downloads, uploads and recordings, and the prompts that are kept of it."""

    def __init__(self, *, cache: Cache, downloads: Downloads, codecs: Sequence[Codec]) -> None:
        self._cache = cache
        self._downloads = downloads
        self._codecs = codecs
        self._threads = Threads("audio")  # of its own, so that long files hold up no text
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)
        self._under_way: Once[Prompt] = Once()
        self._known: OrderedDict[str, str | Failure] = OrderedDict()

    async def close(self) -> None:
        await self._under_way.close()
        self._threads.close()

    async def at(self, url: str, fetched_for: str) -> Prompt:
        """The file at a URL, fetched once for everyone with the same ``fetched_for``."""
        key = digest(fetched_for, url)
        return await self._under_way.run(key, partial(self._fetched, key, url))

    async def prompt(self, source: str, data: bytes) -> Prompt:
        """The prompt kept of ``source``, or made of its ``data``."""
        return await self._kept(source) or await self._made(source, data)

    async def files(self, file: BinaryIO) -> tuple[dict[str, bytes], float]:
        """The audio by codec's name, and its seconds. Raises AudioUnsupported."""
        made: dict[str, bytes] = {}
        seconds = 0.0
        async with self._decoding:
            for sample_rate in {codec.sample_rate for codec in self._codecs}:
                samples = await decode(file, sample_rate)
                finished, length = await self._threads.run(finish, samples, sample_rate, self._codecs)
                made |= finished
                seconds = max(seconds, length)
        return made, seconds

    async def files_of(self, data: bytes) -> tuple[dict[str, bytes], float]:
        """Like ``files``, of a file's bytes."""
        with _in_memory(data) as file:
            return await self.files(file)

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

    async def _made(self, source: str, data: bytes) -> Prompt:
        files, seconds = await self.files_of(data)
        keep = self._cache.keep_prompt
        return await self._threads.store(keep, _name(source), files, seconds=seconds, engine=ENGINE, voice="")

    def _remember(self, key: str, outcome: str | Failure) -> None:
        self._known[key] = outcome
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _name(source: str) -> str:
    """The cache's name for a file."""
    return digest(AUDIO_VERSION, ENGINE, source)


def _in_memory(data: bytes) -> BinaryIO:
    """A file that ffmpeg can seek in and that is on no disk."""
    file = os.fdopen(os.memfd_create("audio"), "w+b")
    file.write(data)
    file.flush()
    return file
