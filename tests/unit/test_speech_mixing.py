"""Channels are made one, and none cancels another; and what counts as heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge.speech.sound.audible import is_audible
from bridge.speech.sound.level import levelled
from bridge.speech.sound.mixing import Mixer

RATE = 8000
WINDOW = 800
Signal = NDArray[np.float64]


def tone(hertz: float, seconds: float = 1.0, amplitude: float = 10_000) -> Signal:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)


def noise(seed: int, seconds: float = 1.0, amplitude: float = 3000) -> Signal:
    return np.random.default_rng(seed).normal(0, amplitude, round(RATE * seconds))


def mixed(*channels: Signal) -> NDArray[np.int16]:
    frames = np.stack(channels, axis=1).round().clip(-32768, 32767).astype(np.int16)
    return Mixer(len(channels), WINDOW).mix(frames)


def power(samples: NDArray[np.generic]) -> float:
    return float(np.square(samples.astype(np.float64)).mean())


def test_one_channel_stays_as_it_is() -> None:
    assert (mixed(noise(1)) == noise(1).round()).all()


def test_an_inverted_channel_is_turned_over() -> None:
    assert power(mixed(noise(1), -noise(1))) == pytest.approx(power(noise(1)), rel=0.01)


def test_two_who_speak_are_both_heard() -> None:
    spectrum = np.abs(np.fft.rfft(mixed(tone(440), tone(900))))
    assert spectrum[440] == pytest.approx(spectrum[900], rel=0.05)
    assert (mixed(tone(440), tone(900)) == ((tone(440).round() + tone(900).round()) / 2).round()).mean() > 0.99


def test_a_channel_is_inverted_for_a_while_alone() -> None:
    speech = noise(1, 4)
    other = speech * np.repeat([1, -1, 1, -1], RATE)
    loudness = [power(second) for second in mixed(speech, other).reshape(4, -1)]
    assert loudness == pytest.approx([power(speech)] * 4, rel=0.1)


def test_faint_noise_turns_no_strong_channel_over() -> None:
    speech, hiss = tone(300, 4, 8000), noise(2, 4, 30)
    assert np.abs(mixed(hiss, speech) - speech / 2).max() < 100
    assert np.abs(mixed(speech, hiss) - speech / 2).max() < 100


@given(
    kinds=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([-1.0, 1.0]), st.floats(0.05, 1)), min_size=1, max_size=8
    )
)
def test_no_energy_is_taken_away(kinds: list[tuple[int, float, float]]) -> None:
    """However many channels there are, and whichever of them are the same, inverted, or louder."""
    channels = [sign * gain * noise(kind) for kind, sign, gain in kinds]
    together = power(mixed(*channels)) * len(channels) ** 2
    assert together >= 0.97 * max(map(power, channels))


@pytest.mark.parametrize(
    ("samples", "heard"),
    [
        (np.zeros(RATE), False),
        (np.zeros(0), False),
        (np.full(RATE, 3.0), False),
        (noise(1, 3, 0.5), False),
        (tone(30), False),
        (tone(440, amplitude=4), True),
        (tone(440, 0.05), True),
        (np.concatenate([np.zeros(80_000), tone(440, 0.05)]), True),
        (np.concatenate([tone(440, 0.05), np.zeros(80_000)]), True),
        (noise(1, 3, 20), True),
        (tone(300, 1), True),
        (tone(3000, 1), True),
    ],
)
def test_what_a_listener_hears(samples: Signal, heard: bool) -> None:
    assert is_audible(levelled(samples.round().astype(np.int16), RATE), RATE) == heard
