"""Calculated sounds, a beep and text telephone tones, as WAV files: 16-bit PCM at 8 kHz, mono."""

from __future__ import annotations

import io
import unicodedata
import wave
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SAMPLES_A_SECOND = 8000
LEVEL = 8000
BEEP_HERTZ, BEEP_SECONDS = 1000, 0.3

# Text telephones: 45.45 baud, ITU-T V.18 annex A.
BITS_A_SECOND = 45.45
MARK, SPACE = 1400, 1800
STOP_BITS = 2
CARRIER_BITS = 14
LETTERS, FIGURES, NEW_LINE = 0x1F, 0x1B, (0x08, 0x02)
LETTER_CODES = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"\x03\x19\x0e\x09\x01\x0d\x1a\x14\x06\x0b\x0f\x12\x1c\x0c\x18\x16\x17\x0a\x05\x10\x07\x1e\x13\x1d\x15\x11",
        strict=True,
    )
)
FIGURE_CODES = {
    figure: LETTER_CODES[letter]
    for letter, figure in zip("QWERTYUIOPABCDFGHJKLMNVXZ", "1234567890-?:$!+='().,;/\"", strict=True)
}


def _wave(samples: NDArray[np.float64]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLES_A_SECOND)
        sound.writeframes((samples * LEVEL).astype("<i2").tobytes())
    return file.getvalue()


def _sine(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A tone whose frequency may change with each sample, without a break in its phase."""
    return np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLES_A_SECOND)


def text_telephone(text: str) -> bytes:
    """A WAV file of the text in Baudot tones; a character that the code does not have becomes a question mark."""
    bits = [1] * CARRIER_BITS
    for code in _codes(text):
        bits += [0, *((code >> place) & 1 for place in range(5)), *[1] * STOP_BITS]
    bits += [1] * CARRIER_BITS
    at = np.arange(int(len(bits) / BITS_A_SECOND * SAMPLES_A_SECOND)) / SAMPLES_A_SECOND * BITS_A_SECOND
    return _wave(_sine(np.where(np.array(bits)[at.astype(int)] == 1, float(MARK), float(SPACE))))


def _codes(text: str) -> Iterator[int]:
    shift = LETTERS
    yield shift
    for character in unicodedata.normalize("NFKD", text).upper():
        if unicodedata.combining(character):
            continue
        if character == "\n":
            yield from NEW_LINE
        elif character.isspace():
            yield 0x04
        else:
            table, needed = (LETTER_CODES, LETTERS) if character in LETTER_CODES else (FIGURE_CODES, FIGURES)
            if needed != shift:
                shift = needed
                yield shift
            yield table.get(character, FIGURE_CODES["?"])


BEEP = _wave(_sine(np.full(int(BEEP_SECONDS * SAMPLES_A_SECOND), float(BEEP_HERTZ))))
