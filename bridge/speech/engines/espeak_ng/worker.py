"""One process that speaks with libespeak-ng, a request at a time.

The library keeps its state in globals and may crash on a text nobody thought of, so it gets a process of its own. It is
started by its path and imports nothing but the standard library: it is up in some 20 ms and stays small.

On standard input: one JSON object a line, ``{"text", "voice", "words_per_minute"}`` to have a text spoken, or
``{"tokens", "voice"}`` to learn what would be said of each of a list. On standard output: first a hello, then one
answer a request. Each is a signed 32-bit little-endian length and that many bytes. The hello is JSON
``{"sample_rate", "version"}``, an answer is 16-bit mono PCM, or a JSON list of each token's phonemes in espeak-ng's own
notation; a negative length announces an error message in UTF-8. End of input ends the process, and so does the end of
its parent, whatever the library is doing then.

API: speak_lib.h of espeak-ng 1.50 and later.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

LIBRARY = "libespeak-ng.so.1"
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
BUFFER_MILLISECONDS = 1000
CHARS_UTF8 = 1  # and neither espeakSSML nor espeakPHONEMES: markup in a text is text
PHONEMES_ASCII = 0
SWITCHED = "("
"""How phonemes announce another language's voice, in which the library may stay for what comes next."""

PARAMETER_RATE = 1
PR_SET_PDEATHSIG = 1  # linux/prctl.h

SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EspeakLibrary:
    """libespeak-ng, initialized; raises OSError when it or its data cannot be loaded."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(LIBRARY)
        self._espeak.espeak_Info.restype = ctypes.c_char_p
        self._espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.sample_rate: int = self._espeak.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MILLISECONDS, None, INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise OSError("libespeak-ng does not find its data (package espeak-ng-data)")
        self.version: str = self._espeak.espeak_Info(None).decode()
        self._chosen = ""
        self._chunks: list[bytes] = []
        self._callback = SynthCallback(self._take)
        self._espeak.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, words_per_minute: int) -> bytes:
        """16-bit mono PCM at ``sample_rate``; raises ValueError for an unknown voice or a failure of the library."""
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
        """Read the voice's files, which takes up to 1 ms, unless it is sure to be chosen."""
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


def answer(out: BinaryIO, payload: bytes, *, is_error: bool = False) -> None:
    out.write(struct.pack("<i", -len(payload) if is_error else len(payload)))
    out.write(payload)
    out.flush()


def answered(library: EspeakLibrary, request: dict[str, Any]) -> bytes:
    """Raises ValueError."""
    if "tokens" in request:
        return json.dumps(library.phonemes(request["tokens"], request["voice"])).encode()
    return library.speak(request["text"], request["voice"], request["words_per_minute"])


def end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then closes our input
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a print inside the library must not enter the audio
        try:
            library = EspeakLibrary()
        except OSError as error:
            answer(out, str(error).encode(), is_error=True)
            return
        answer(out, json.dumps({"sample_rate": library.sample_rate, "version": library.version}).encode())
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                answer(out, answered(library, request))
            except ValueError as error:
                answer(out, str(error).encode(), is_error=True)


if __name__ == "__main__":
    main()
