"""Sounds that are calculated, read back from their samples."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.speech.sound.tones import BEEP, text_telephone

BAUD = 45.45
LETTERS = dict(enumerate("\0E\nA SIU\rDRJNFCKTZLWHYPQOBG\1MXV\2"))
FIGURES = dict(enumerate("\x003\n- \a87\r$4',!:(5\")2=6019?+\1./;\2"))


def samples(sound: bytes) -> NDArray[np.float64]:
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def power(sound: NDArray[np.float64], hertz: float) -> float:
    return float(abs(np.sum(sound * np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / 8000))))


def read(sound: NDArray[np.float64]) -> str:
    """A receiver of ITU-T V.18 annex A: a start bit of 1800 Hz, five bits from the lowest on, a stop bit."""
    bit = 8000 / BAUD

    def is_mark(at: float) -> bool:
        middle = sound[int(at + bit / 4) : int(at + bit * 3 / 4)]
        return power(middle, 1400) > power(middle, 1800)

    text, at, table = "", 0.0, LETTERS
    while at + 8 * bit < len(sound):
        if is_mark(at):
            at += bit / 16
            continue
        at += bit / 2  # where the start bit begins: half of what was looked at was in it
        code = sum(is_mark(at + bit * (1 + place)) << place for place in range(5))
        assert is_mark(at + bit * 6), "a stop bit follows"
        character = table[code]
        table = {"\1": FIGURES, "\2": LETTERS}.get(character, table)
        text += "" if character in "\1\2" else character
        at += 6.5 * bit
    return text


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("Hello, world!", "HELLO, WORLD!"),
        ("Call 555-0123 GA", "CALL 555-0123 GA"),
        ("Čekaj: 5+5=10?", "CEKAJ: 5+5=10?"),
        ("a\nb", "A\r\nB"),
        ("100 €", "100 ?"),
    ],
)
def test_a_text_telephone_reads_what_was_written(text: str, received: str) -> None:
    assert read(samples(text_telephone(text))) == received


def test_the_beep_is_one_kilohertz_for_300_ms() -> None:
    beep = samples(BEEP)
    assert len(beep) == 2400
    assert power(beep, 1000) > 100 * power(beep, 1250)
