"""A fragment is band-limited and cut to what is heard."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.speech.sound.fragment import fragment_sound
from bridge.speech.sound.samples import Samples, Waveform

ENGINE_RATE = 22_050


def tone(hertz: float, seconds: float, level: float = 0.5) -> Samples:
    time = np.arange(round(seconds * ENGINE_RATE)) / ENGINE_RATE
    return np.rint(level * 32767 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * ENGINE_RATE), np.int16)


def sound(*parts: Samples, sample_rate: int = 8000) -> Samples:
    return fragment_sound(Waveform(np.concatenate(parts), ENGINE_RATE), sample_rate)


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_silence_around_a_sound_is_cut(sample_rate: int) -> None:
    heard = sound(silence(0.3), tone(800, 1.0), silence(0.7), sample_rate=sample_rate)
    assert len(heard) / sample_rate == pytest.approx(1.0, abs=0.012)


def test_hiss_around_a_sound_is_cut() -> None:
    hiss = np.random.default_rng(1).normal(0, 20, ENGINE_RATE).astype(np.int16)
    assert len(sound(hiss, tone(800, 1.0), hiss)) / 8000 == pytest.approx(1.0, abs=0.012)


def test_silence_inside_stays() -> None:
    heard = sound(tone(800, 0.5), silence(0.4), tone(800, 0.5))
    assert len(heard) / 8000 == pytest.approx(1.4, abs=0.012)


def test_a_soft_consonant_at_the_end_stays() -> None:
    heard = sound(tone(500, 0.5), tone(3000, 0.1, level=0.5 * 10 ** (-30 / 20)))
    assert len(heard) / 8000 == pytest.approx(0.6, abs=0.012)


@pytest.mark.parametrize("nothing", [silence(0), silence(0.001), silence(1.0)])
def test_nothing_is_heard_of_silence(nothing: Samples) -> None:
    assert sound(nothing).size == 0


def test_what_the_line_cannot_carry_does_not_come_back_as_another_tone() -> None:
    heard = sound(tone(500, 1.0), tone(6000, 1.0), tone(500, 1.0)).astype(np.float64)
    middle = heard[len(heard) // 3 : 2 * len(heard) // 3]
    assert np.sqrt(np.square(middle[800:-800]).mean()) < 2


def test_high_sounds_are_raised_over_low_ones() -> None:
    low, high = (np.sqrt(np.square(sound(tone(hertz, 1.0)).astype(np.float64)).mean()) for hertz in (300, 3000))
    assert 20 * np.log10(high / low) == pytest.approx(10.5, abs=1.5)


def test_edges_do_not_click() -> None:
    assert np.abs(sound(tone(800, 0.2)))[[0, -1]].max() < 2000
