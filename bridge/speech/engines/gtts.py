"""gTTS: natural voices from Google's service. Whatever is said leaves the house."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import gtts
import numpy as np

from bridge.speech.engine import Voice
from bridge.speech.errors import EngineFailedError
from bridge.speech.sound.ffmpeg import FfmpegError, at_tempo, decode_mp3
from bridge.speech.sound.samples import Waveform
from bridge.speech.text.languages import LANGUAGES

SILENCE = Waveform(np.zeros(0, np.int16), 24_000)


class GttsEngine:
    """Google's service through the gTTS library, in threads. ``timeout`` is seconds for one fragment.

    The library does not check the service's certificate, so a text is as public as the network it crosses. It has no
    rate of its own; ffmpeg's ``atempo`` changes the tempo and leaves the pitch.
    """

    name = "gtts"
    local = False
    version = gtts.__version__
    concurrency = 4

    def __init__(self, *, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self._threads = ThreadPoolExecutor(self.concurrency, thread_name_prefix="gtts")

    async def start(self) -> None:
        """Nothing to start: whether the service answers is found out by asking it."""

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def languages(self) -> list[str]:
        return [code for code, language in LANGUAGES.items() if language.gtts]

    def voices(self, language: str) -> list[Voice]:
        row = LANGUAGES.get(language)
        if row is None or row.gtts is None:
            return []
        return [Voice(f"gtts-{language}-female", "female", self.name, f"{row.gtts}/{row.tld}")]

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        """The service cannot be asked, and reads every script: it is believed."""
        return []

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Waveform:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, text, voice, rate)

    def _fetch(self, text: str, voice: Voice, rate: float) -> Waveform:
        mp3 = self._download(text, voice)
        if not mp3:
            return SILENCE
        try:
            waveform = decode_mp3(mp3)
            return waveform if rate == 1 else at_tempo(waveform, rate)
        except FfmpegError as error:
            raise EngineFailedError(str(error)) from error

    def _download(self, text: str, voice: Voice) -> bytes:
        language, tld = voice.code.split("/")
        mp3 = io.BytesIO()
        try:
            gtts.gTTS(text, tld=tld, lang=language, lang_check=False, timeout=self.timeout).write_to_fp(mp3)
        except gtts.gTTSError as error:
            raise EngineFailedError(str(error)) from error
        except AssertionError:
            return b""  # gTTS found nothing in the text that can be spoken
        except ValueError as error:
            raise EngineFailedError("the service's answer is not understood") from error
        return mp3.getvalue()
