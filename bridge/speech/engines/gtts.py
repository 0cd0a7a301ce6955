"""The engine gtts: natural voices from Google's service, to which every text is sent."""

from __future__ import annotations

import io
from collections.abc import Sequence

import gtts
import numpy as np

from bridge.base.threads import Threads
from bridge.speech.engine import EngineEntry, EngineSettings, Voice
from bridge.speech.errors import EngineFailedError
from bridge.speech.sound.ffmpeg import FfmpegError, at_tempo, decode_mp3
from bridge.speech.sound.samples import Waveform

CODES = {
    "ar": "ar/com",
    "ar-ma": "ar/com",
    "bg": "bg/com",
    "bn": "bn/com",
    "ca": "ca/com",
    "cs": "cs/com",
    "da": "da/com",
    "de": "de/com",
    "de-at": "de/com",
    "de-ch": "de/com",
    "el": "el/com",
    "en": "en/com",
    "en-au": "en/com.au",
    "en-ca": "en/ca",
    "en-gb": "en/co.uk",
    "en-gb-wls": "en/co.uk",
    "en-ie": "en/ie",
    "en-in": "en/co.in",
    "en-us": "en/us",
    "es": "es/es",
    "es-ar": "es/com",
    "es-gl": "gl/com",
    "es-mx": "es/com.mx",
    "fi": "fi/com",
    "fil-ph": "tl/com",
    "fr": "fr/fr",
    "fr-ca": "fr-CA/ca",
    "fr-ch": "fr/fr",
    "gu": "gu/com",
    "he": "iw/com",
    "hi": "hi/com",
    "hr": "hr/com",
    "hu": "hu/com",
    "id": "id/com",
    "is": "is/com",
    "it": "it/com",
    "ja": "ja/com",
    "kn": "kn/com",
    "ko": "ko/com",
    "ml": "ml/com",
    "mr-in": "mr/com",
    "ms": "ms/com",
    "nl": "nl/com",
    "no": "no/com",
    "pl": "pl/com",
    "pt": "pt-PT/com",
    "pt-br": "pt/com.br",
    "pt-pt": "pt-PT/com",
    "ro": "ro/com",
    "ru": "ru/com",
    "sk": "sk/com",
    "sv": "sv/com",
    "sw-ke": "sw/com",
    "sw-tz": "sw/com",
    "ta": "ta/com",
    "te": "te/com",
    "th": "th/com",
    "tr": "tr/com",
    "uk": "uk/com",
    "ur-pk": "ur/com",
    "vi": "vi/com",
    "wls": "cy/com",
    "zh-cn": "zh-CN/com",
    "zh-tw": "zh-TW/com",
}
"""Google's code, and the domain that gives the accent. A regional form that Google lacks is spoken in the nearest."""

SILENCE = Waveform(np.zeros(0, np.int16), 24_000)


class GttsEngine:
    """Google's service through the gTTS library, in threads.

    The library does not check the service's certificate, so a text is as public as the network it crosses. It has no
    rate of its own; ffmpeg's ``atempo`` changes the tempo and leaves the pitch.
    """

    name = "gtts"
    local = False
    version = gtts.__version__
    concurrency = 4

    def __init__(self, settings: EngineSettings) -> None:
        self.timeout = settings.timeout
        self._threads = Threads("gtts", self.concurrency)

    async def start(self) -> None:
        """Nothing to start: whether the service answers is found out by asking it."""

    async def close(self) -> None:
        self._threads.close(drop=True)

    def languages(self) -> list[str]:
        return list(CODES)

    def voices(self, language: str) -> list[Voice]:
        code = CODES.get(language)
        return [] if code is None else [Voice(f"gtts-{language}-female", "female", self.name, code)]

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        """None: the service reads every script, and cannot be asked what it passes over."""
        return []

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Waveform:
        return await self._threads.run(self._fetch, text, voice, rate)

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


ENGINE = EngineEntry(
    build=GttsEngine,
    remedy="It speaks over the network: let it through, or take gtts out of VOICEBRIDGE_SPEECH_ENGINES.",
    where="Google's service",
    languages="all but Esperanto, Kazakh, Slovenian and Uzbek",
    needs="`ffmpeg`, the network",
    notes="natural voices; every text is sent to Google",
)
