"""One process that speaks with libespeak-ng, a request at a time.

The library keeps its state in globals and may crash on a text nobody thought of, so it gets a process of its own. It is
started by its path and imports nothing but the standard library: it is up in some 20 ms and stays small.

On standard input: one JSON object a line, ``{"text", "voice", "words_per_minute"}``. On standard output: first a hello,
then one answer a request. Each is a signed 32-bit little-endian length and that many bytes. The hello is JSON
``{"sample_rate", "version"}``, an answer is 16-bit mono PCM; a negative length announces an error message in UTF-8.
End of input ends the process, and so does the end of its parent, whatever the library is doing then.

API: speak_lib.h of espeak-ng 1.50 and later.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
from typing import BinaryIO

LIBRARY = "libespeak-ng.so.1"
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
BUFFER_MILLISECONDS = 1000
CHARS_UTF8 = 1  # and neither espeakSSML nor espeakPHONEMES: markup in a text is text
PARAMETER_RATE = 1
PR_SET_PDEATHSIG = 1  # linux/prctl.h

SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Library:
    """libespeak-ng, initialized; raises OSError when it or its data cannot be loaded."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(LIBRARY)
        self._espeak.espeak_Info.restype = ctypes.c_char_p
        self.sample_rate: int = self._espeak.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MILLISECONDS, None, INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise OSError("libespeak-ng does not find its data (package espeak-ng-data)")
        self.version: str = self._espeak.espeak_Info(None).decode()
        self._chunks: list[bytes] = []
        self._callback = SynthCallback(self._take)
        self._espeak.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, words_per_minute: int) -> bytes:
        """16-bit mono PCM at ``sample_rate``; raises ValueError for an unknown voice or a failure of the library."""
        if self._espeak.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._espeak.espeak_SetParameter(PARAMETER_RATE, words_per_minute, 0)
        encoded = text.encode() + b"\0"
        self._chunks.clear()
        status = self._espeak.espeak_Synth(encoded, len(encoded), 0, 0, 0, CHARS_UTF8, None, None)
        if status != 0:
            raise ValueError(f"espeak_Synth failed with {status}")
        return b"".join(self._chunks)

    def _take(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        return 0


def answer(out: BinaryIO, payload: bytes, *, is_error: bool = False) -> None:
    out.write(struct.pack("<i", -len(payload) if is_error else len(payload)))
    out.write(payload)
    out.flush()


def end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then closes our input
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a print inside the library must not enter the audio
        try:
            library = Library()
        except OSError as error:
            answer(out, str(error).encode(), is_error=True)
            return
        answer(out, json.dumps({"sample_rate": library.sample_rate, "version": library.version}).encode())
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                pcm = library.speak(request["text"], request["voice"], request["words_per_minute"])
            except ValueError as error:
                answer(out, str(error).encode(), is_error=True)
            else:
                answer(out, pcm)


if __name__ == "__main__":
    main()
