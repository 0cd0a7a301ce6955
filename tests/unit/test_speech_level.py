"""Everything arrives at an active speech level of -20 dBov, and no peak reaches -1 dBov."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from bridge.speech.sound.level import active_speech_level, levelled
from bridge.speech.sound.samples import Samples

LOUDEST_PEAK = 32768 * 10 ** (-1 / 20)


def speech_like(seconds: float = 6.0, seed: int = 3, sample_rate: int = 8000) -> NDArray[np.float64]:
    """Noise that comes and goes in syllables, with a long pause."""
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * sample_rate))
    time = np.arange(len(noise)) / sample_rate
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * time), 0, 1) * np.where((time > 2) & (time < 4), 0, 1)
    return np.asarray(noise * syllables, np.float64)


def p56_sample_by_sample(signal: NDArray[np.float64], sample_rate: int) -> float:
    """Method B as the recommendation writes it down, with no shortcut."""
    g = np.exp(-1 / (sample_rate * 0.03))
    once = lfilter([1 - g], [1, -g], np.abs(signal))
    envelope = lfilter([1 - g], [1, -g], once)
    energy, hangover = np.square(signal).sum(), int(np.ceil(0.2 * sample_rate))
    last: tuple[float, float] | None = None
    for threshold in 2.0 ** np.arange(-15, 0):
        active, since = 0, hangover
        for value in envelope:
            since = 0 if value >= threshold else since + 1
            active += since <= hangover
        level = 10 * np.log10(energy / active)
        margin = level - 20 * np.log10(threshold)
        if margin <= 15.9 and last is not None:
            share = (last[1] - 15.9) / (last[1] - margin)
            return float(last[0] + share * (level - last[0]))
        last = level, margin
    raise AssertionError("no crossing")


def samples(signal: NDArray[np.float64]) -> Samples:
    return np.rint(signal * 32768).astype(np.int16)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_level_is_that_of_the_recommendation(seed: int) -> None:
    signal = speech_like(seed=seed)
    measured = active_speech_level(samples(signal), 8000)
    assert measured == pytest.approx(p56_sample_by_sample(signal, 8000), abs=0.1)


def test_a_full_scale_square_wave_is_0_dbov() -> None:
    square = np.where(np.arange(32000) // 8 % 2, 32767, -32768).astype(np.int16)
    assert active_speech_level(square, 8000) == pytest.approx(0, abs=0.1)


def test_a_pause_does_not_change_the_level() -> None:
    speech = samples(speech_like())
    with_pause = np.concatenate((speech, np.zeros(40_000, np.int16)))
    assert active_speech_level(with_pause, 8000) == pytest.approx(active_speech_level(speech, 8000), abs=0.3)


def test_a_long_signal_has_the_level_of_each_of_its_parts() -> None:
    minute = samples(speech_like(seconds=60))
    assert active_speech_level(np.tile(minute, 5), 8000) == pytest.approx(active_speech_level(minute, 8000), abs=0.1)


@pytest.mark.parametrize("gain", [0.05, 0.1, 1.0, 2.5])
@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_loud_and_soft_arrive_alike(gain: float, sample_rate: int) -> None:
    heard = levelled(samples(gain * speech_like(sample_rate=sample_rate)), sample_rate)
    level = active_speech_level(heard, sample_rate)
    assert level == pytest.approx(-20, abs=0.5)
    assert np.abs(heard.astype(np.int32)).max() < LOUDEST_PEAK


def test_a_lone_peak_is_bent_and_not_clipped() -> None:
    signal = speech_like()
    signal[1000:1040] = 0.5 * np.sin(np.arange(40) / 40 * np.pi)
    heard = levelled(samples(signal), 8000).astype(np.int32)
    assert np.abs(heard).max() < LOUDEST_PEAK
    assert np.count_nonzero(heard[1000:1040] == heard[1000:1040].max()) < 3


def test_what_is_hardly_more_than_silence_does_not_become_loud() -> None:
    whisper = np.random.default_rng(1).integers(-2, 3, 16000).astype(np.int16)
    assert np.abs(levelled(whisper, 8000)).max() == 200


@pytest.mark.parametrize("length", [0, 1, 5000])
def test_silence_stays_silence(length: int) -> None:
    assert not levelled(np.zeros(length, np.int16), 8000).any()
