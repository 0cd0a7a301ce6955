"""The service that makes prompts for Asterisk of texts and audio files."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import structlog

from bridge.base.objects import Objects
from bridge.base.outbound import Outbound
from bridge.base.threads import Threads
from bridge.speech.audio_files.audio_files import ENGINE, AudioFiles
from bridge.speech.audio_files.downloads import Downloads
from bridge.speech.audio_files.uploads import UploadedFile, UploadFiles, new_id
from bridge.speech.cache.cache import Cache, digest
from bridge.speech.cache.private_prompts import PrivatePrompts
from bridge.speech.cache.shared_fragments import SharedFragments
from bridge.speech.engine import Engine, Voice
from bridge.speech.errors import EngineFailedError, NothingToSayError, SpeechError, TextUnspeakableError, storing
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.single_flight import SingleFlight
from bridge.speech.sound.assembly import EncodedPrompt, assemble
from bridge.speech.sound.codec import CODECS, FRAMES_PER_SECOND, encode
from bridge.speech.sound.decoding import AudioFile
from bridge.speech.synthesis import Speaker, Synthesis
from bridge.speech.text import fragments
from bridge.speech.text.languages import language_code
from bridge.speech.voices import ListedVoice, listed_voices, voices_in

MOST_NAMED = 5
"""Characters that an error names."""

THREADS = 2
"""So few that a burst of work leaves processors to the calls."""

UPLOAD_FORMATS = ("wav", "mp3")
WAV_BEGINNINGS = {b"RIFF", b"RIFX", b"RF64", b"BW64"}

log = structlog.get_logger(__name__)


class Speech:
    """Makes prompts of texts, by the engines in their order, and of audio files; and keeps them.

    ``codecs`` are the trunks' codecs (``ulaw``, ``alaw``, ``g722``). Without ``outbound``, which is started and closed
    by its owner, nothing can be downloaded. ``objects``, started and closed likewise, is the object storage that nodes
    share. Nothing here blocks the event loop.
    """

    def __init__(
        self,
        *,
        cache_dir: Path,
        codecs: Sequence[str] = ("ulaw", "alaw"),
        engines: Sequence[Engine],
        outbound: Outbound | None = None,
        objects: Objects | None = None,
    ) -> None:
        folder = cache_dir.absolute()
        self._codecs = [CODECS[name] for name in codecs]
        self._engines = list(engines)
        self._threads = Threads("speech", THREADS)
        self._cache = Cache(folder)
        self._private = PrivatePrompts(folder / "private", self._threads)
        self._uploads = UploadFiles(folder / "uploads", self._threads, objects)
        self._shared = None if objects is None else SharedFragments(objects)
        sample_rates = sorted({codec.sample_rate for codec in self._codecs})
        self._synthesis = Synthesis(self._engines, self._cache, self._threads, sample_rates, self._shared)
        self._audio = AudioFiles(cache=self._cache, downloads=Downloads(outbound), codecs=self._codecs)
        self._prompts: SingleFlight[Prompt] = SingleFlight()

    async def start(self) -> None:
        """Raises EngineUnavailableError for an engine that lacks what it needs."""
        await self._synthesis.start()

    async def close(self) -> None:
        await self._prompts.close()
        await self._audio.close()
        await self._synthesis.close()
        if self._shared is not None:
            await self._shared.close()
        await self._private.close()
        self._threads.close()

    def languages(self) -> list[str]:
        """Language codes of the API that the engines speak."""
        return sorted({code for engine in self._engines for code in engine.languages()})

    def voices(self, language: str) -> list[Voice]:
        """The default first; empty for a language that no engine speaks."""
        return voices_in(language, self._engines)

    def listed_voices(self, language: str) -> list[ListedVoice]:
        """Every voice's name that may be sent, the hosted service's too; empty for a language that no engine speaks."""
        return listed_voices(language, self._engines)

    async def check(self, phrase: Phrase) -> None:
        """Check that every character of the phrase will be heard; the engines themselves are asked.

        Raises LanguageUnsupportedError, VoiceUnknownError, NothingToSayError, TextUnspeakableError.
        """
        candidates = self._synthesis.candidates(phrase)
        _, unheard = await self._synthesis.able(candidates, _spoken(_pieces(phrase)))
        if unheard:
            raise TextUnspeakableError(f"nobody has a sound for {_named(unheard)} in {phrase.language!r}")

    async def prepare(self, phrase: Phrase) -> Prompt:
        """The phrase as files: from the cache, or spoken by the first engine in line that can.

        A sensitive phrase is made for this one call: ``release`` it afterwards. Characters that no engine has a sound
        for (which was not known when the request was checked) are left out. Raises LanguageUnsupportedError,
        VoiceUnknownError, NothingToSayError, SpeechNotStoredError, and SpeechError when every engine failed.
        """
        candidates = self._synthesis.candidates(phrase)
        pieces = _pieces(phrase)
        able, unheard = await self._synthesis.able(candidates, _spoken(pieces))
        if unheard:
            log.warning("text spoken without some characters", language=phrase.language, characters=len(unheard))
        reasons = []
        for speaker in able or candidates:
            name = speaker.name(pieces)
            try:
                if phrase.sensitive:
                    return await self._spoken_in_private(speaker, pieces)
                return await self._prompts.run(name, partial(self._spoken, name, speaker, pieces))
            except EngineFailedError as error:
                reasons.append(str(error))
        raise SpeechError("; ".join(reasons))

    async def prepare_audio(self, url: str, *, fetched_for: str) -> Prompt:
        """The prompt of the audio file at a URL, up to 4 MB and 30 minutes.

        It is fetched once for all with the same ``fetched_for`` (a bulk and its account), and anew for the next. A
        failure counts for a minute. Raises AudioNotDownloaded, AudioUnsupported, SpeechNotStoredError.
        """
        return await self._audio.at(url, fetched_for)

    async def keep_upload(self, data: bytes) -> UploadedFile:
        """Keep a WAV or MP3 file for all nodes until it is dropped.

        Raises AudioUnsupported, SpeechNotStoredError, ObjectStorageFailed.
        """
        upload_id = new_id()
        prompt = await self._audio.prompt(upload_id, data, UPLOAD_FORMATS)
        await self._uploads.keep(upload_id, data)
        return UploadedFile(upload_id, "wav" if data[:4] in WAV_BEGINNINGS else "mp3", prompt.sound_seconds)

    async def upload(self, upload_id: str) -> Prompt:
        """The prompt of an upload. Raises UploadUnknown; SpeechError when it cannot be had from object storage now."""
        return await self._audio.prompt(upload_id, await self._uploads.read(upload_id))

    async def drop_upload(self, upload_id: str) -> None:
        """Remove it, here and from object storage. Raises ObjectStorageFailed."""
        await self._uploads.drop(upload_id)

    async def uploads_from_before(self, moment: datetime) -> list[str]:
        """The ids of uploads that were written to this disk before ``moment``."""
        return await self._uploads.from_before(moment)

    async def prepare_file(self, path: Path) -> Prompt:
        """The prompt of a recording, for the one call it is played on: ``release`` it afterwards.

        Raises AudioUnsupported (also when there is no such file) and SpeechNotStoredError.
        """
        made = await self._audio.decoded(AudioFile(str(path)))
        return await self._private.keep(made, engine=ENGINE, voice="")

    async def prepare_sound(self, wave: bytes, *, private: bool = False) -> Prompt:
        """The prompt of a WAV file of ours; ``release`` a private one after its call. Raises SpeechNotStoredError."""
        if not private:
            return await self._audio.prompt(hashlib.sha256(wave).hexdigest(), wave)
        return await self._private.keep(await self._audio.decoded_data(wave), engine=ENGINE, voice="")

    async def silence(self, seconds: float) -> Prompt:
        """A prompt of silence, rounded up to whole frames of 20 ms. Raises SpeechNotStoredError."""
        frames = math.ceil(round(seconds * FRAMES_PER_SECOND, 6))
        name = digest("silence", frames)
        return await self._prompts.run(name, partial(self._silent, name, frames))

    async def release(self, *prompts: Prompt) -> None:
        """Remove what was made for a call that is over; this is done even if cancelled. Other prompts stay."""
        removing = self._private.release(*prompts)
        if removing is not None:
            await removing

    async def sweep(self, most_bytes: int) -> int:
        """Remove the least recently used until ``most_bytes`` are left; returns how many bytes were removed.

        What was used within the last hour stays, and uploads do. Private prompts that a killed daemon left are removed,
        so sweep at the start too.
        """
        await self._private.remove_orphans()
        return await self._threads.run(self._cache.sweep, most_bytes)

    async def _spoken(self, name: str, speaker: Speaker, pieces: Sequence[str]) -> Prompt:
        kept = await self._kept(name)
        if kept is not None:
            return kept
        made = await self._said(speaker, pieces, keep=True)
        voice, keep = speaker.voice, self._cache.keep_prompt
        with storing():
            return await self._threads.run(keep, name, made, engine=voice.engine, voice=voice.name)

    async def _spoken_in_private(self, speaker: Speaker, pieces: Sequence[str]) -> Prompt:
        made = await self._said(speaker, pieces, keep=False)
        return await self._private.keep(made, engine=speaker.voice.engine, voice=speaker.voice.name)

    async def _said(self, speaker: Speaker, pieces: Sequence[str], *, keep: bool) -> EncodedPrompt:
        sounds = await self._synthesis.sounds(speaker, _spoken(pieces), keep=keep)
        return await self._threads.run(assemble, pieces, sounds, self._codecs)

    async def _silent(self, name: str, frames: int) -> Prompt:
        kept = await self._kept(name)
        if kept is not None:
            return kept
        with storing():
            return await self._threads.run(self._keep_silence, name, frames)

    def _keep_silence(self, name: str, frames: int) -> Prompt:
        seconds = frames / FRAMES_PER_SECOND
        files = {
            codec.name: encode(np.zeros(round(seconds * codec.sample_rate), np.int16), codec.name)
            for codec in self._codecs
        }
        return self._cache.keep_prompt(name, EncodedPrompt(files, seconds, seconds), engine="silence", voice="")

    async def _kept(self, name: str) -> Prompt | None:
        return await self._threads.run(self._cache.prompt, name, [codec.name for codec in self._codecs])


def _pieces(phrase: Phrase) -> tuple[str, ...]:
    pieces = fragments(phrase.text, language_code(phrase.language))
    if not any(pieces):
        raise NothingToSayError("the text has nothing that can be spoken")
    return pieces


def _spoken(pieces: Sequence[str]) -> list[str]:
    """The pieces that are no pause, each once."""
    return sorted({piece for piece in pieces if piece})


def _named(characters: Sequence[str]) -> str:
    names = [f"{character!r} (U+{ord(character):04X})" for character in characters[:MOST_NAMED]]
    return ", ".join(names) + (" and others" if len(characters) > MOST_NAMED else "")
