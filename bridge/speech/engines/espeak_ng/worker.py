"""The worker process of espeak-ng: speaks a text with libespeak-ng, or tells the phonemes it would speak.

The library keeps its state in globals and may crash on a text nobody thought of, so it gets a process of its own. This
file imports nothing but the standard library: the process is up in some 20 ms and stays small.

The hello is ``{"sample_rate", "version"}``. A request is ``{"text", "voice", "words_per_minute"}`` to have a text
spoken, or ``{"tokens", "voice"}`` to learn what would be said of each of a list. The answer is 16-bit mono PCM, or a
JSON list of each token's phonemes in espeak-ng's own notation.

API: speak_lib.h of espeak-ng 1.50 and later.
"""

from __future__ import annotations

import ctypes
import json
from typing import Any

LIBRARY = "libespeak-ng.so.1"
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
BUFFER_MILLISECONDS = 1000
CHARS_UTF8 = 1  # and neither espeakSSML nor espeakPHONEMES: markup in a text is text
PHONEMES_ASCII = 0
SWITCHED = "("
"""How phonemes announce another language's voice, in which the library may stay for what comes next."""

PARAMETER_RATE = 1

SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EspeakLibrary:
    """libespeak-ng, initialized; raises OSError when it or its data cannot be loaded."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(LIBRARY)
        self._espeak.espeak_Info.restype = ctypes.c_char_p
        self._espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
        sample_rate: int = self._espeak.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MILLISECONDS, None, INITIALIZE_DONT_EXIT
        )
        if sample_rate <= 0:
            raise OSError("libespeak-ng does not find its data (package espeak-ng-data)")
        self.hello = {"sample_rate": sample_rate, "version": self._espeak.espeak_Info(None).decode()}
        self._chosen = ""
        self._chunks: list[bytes] = []
        self._callback = SynthCallback(self._take)
        self._espeak.espeak_SetSynthCallback(self._callback)

    def answer(self, request: dict[str, Any]) -> bytes:
        """The answer to a request of either kind. Raises ValueError."""
        if "tokens" in request:
            return json.dumps(self.phonemes(request["tokens"], request["voice"])).encode()
        return self.speak(request["text"], request["voice"], request["words_per_minute"])

    def speak(self, text: str, voice: str, words_per_minute: int) -> bytes:
        """16-bit mono PCM; raises ValueError for an unknown voice or a failure of the library."""
        self._choose(voice)
        self._chosen = ""
        self._espeak.espeak_SetParameter(PARAMETER_RATE, words_per_minute, 0)
        encoded = text.encode() + b"\0"
        self._chunks.clear()
        status = self._espeak.espeak_Synth(encoded, len(encoded), 0, 0, 0, CHARS_UTF8, None, None)
        if status != 0:
            raise ValueError(f"espeak_Synth failed with {status}")
        return b"".join(self._chunks)

    def phonemes(self, tokens: list[str], voice: str) -> list[str]:
        """What would be said of each token; raises ValueError for an unknown voice."""
        said = []
        for token in tokens:
            self._choose(voice)
            phonemes = self._phonemes(token)
            said.append(phonemes)
            if not phonemes or SWITCHED in phonemes:
                self._chosen = ""
        return said

    def _phonemes(self, token: str) -> str:
        text = ctypes.create_string_buffer(token.encode())
        rest = ctypes.c_void_p(ctypes.addressof(text))
        clauses = []
        while rest.value:  # the library moves it behind each clause, and to null at the end
            clauses.append(self._espeak.espeak_TextToPhonemes(ctypes.byref(rest), CHARS_UTF8, PHONEMES_ASCII) or b"")
        return b" ".join(clauses).decode()

    def _choose(self, voice: str) -> None:
        """Choose a voice, which reads its files in up to 1 ms, unless it is certainly the current one."""
        if voice == self._chosen:
            return
        self._chosen = ""
        if self._espeak.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._chosen = voice

    def _take(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0


def load() -> EspeakLibrary:
    try:
        return EspeakLibrary()
    except OSError as error:
        raise OSError(f"{error} (install libespeak-ng1)") from error
