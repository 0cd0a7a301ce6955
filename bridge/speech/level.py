"""One loudness for everything that is heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.speech.engine import Samples
from bridge.speech.sound import FULL_SCALE, Signal, to_samples

SPEECH_LEVEL = -20.0
"""Active speech level in dBov (ITU-T G.100.1: 0 dBov is a full-scale square wave)."""

PEAK = 10 ** (-1.5 / 20)
KNEE = 0.6

ENVELOPE_STEP = 0.001
TIME_CONSTANT = 0.03
HANGOVER_STEPS = 200
MARGIN = 15.9
THRESHOLDS = 2.0 ** np.arange(-15, 0)


def levelled(samples: Samples, sample_rate: int) -> Samples:
    """``samples`` at an active speech level of -20 dBov, their peaks bent softly below -1.5 dBov; silence as it is."""
    signal = samples.astype(np.float32) / np.float32(FULL_SCALE)
    level = active_speech_level(signal, sample_rate)
    if level == -np.inf:
        return samples
    gain = 10 ** ((SPEECH_LEVEL - level) / 20)
    return to_samples(_limited(signal * np.float32(gain)))


def active_speech_level(signal: Signal, sample_rate: int) -> float:
    """The level in dBov of the speech without its pauses (ITU-T P.56, method B); minus infinity for silence.

    The envelope is taken once a millisecond, above the 694 Hz that P.56 asks for; the energy from every sample.
    """
    energy = float(np.square(signal, dtype=np.float64).sum())
    if energy == 0:
        return -np.inf
    envelope = _envelope(np.abs(signal), round(ENVELOPE_STEP * sample_rate))
    samples_per_step = len(signal) / len(envelope)
    lower: tuple[float, float] | None = None
    for threshold in THRESHOLDS:
        steps = _active_steps(envelope, threshold)
        if steps == 0:
            break
        level = 10 * np.log10(energy / (steps * samples_per_step))
        margin = level - 20 * np.log10(threshold)
        if margin <= MARGIN:
            return float(level if lower is None else np.interp(MARGIN, (margin, lower[1]), (level, lower[0])))
        lower = level, margin
    return -np.inf if lower is None else float(lower[0])


def _envelope(magnitude: Signal, step: int) -> NDArray[np.float64]:
    """Twice exponentially averaged over 30 ms."""
    padded = np.pad(magnitude, (0, -len(magnitude) % step))
    means = padded.reshape(-1, step).mean(axis=1, dtype=np.float64)
    decay = np.exp(-ENVELOPE_STEP / TIME_CONSTANT)
    steps = np.arange(round(10 * TIME_CONSTANT / ENVELOPE_STEP))
    response = (1 - decay) ** 2 * (steps + 1) * decay**steps
    return np.convolve(means, response)[: len(means)]


def _active_steps(envelope: NDArray[np.float64], threshold: float) -> int:
    """Steps at or above the threshold, and the 200 ms after each of them."""
    steps = np.arange(len(envelope))
    latest = np.maximum.accumulate(np.where(envelope >= threshold, steps, -HANGOVER_STEPS - 1))
    return int(np.count_nonzero(steps - latest <= HANGOVER_STEPS))


def _limited(signal: Signal) -> Signal:
    """Unchanged up to the knee, then bent towards the peak, which is never reached."""
    magnitude = np.abs(signal)
    if magnitude.max(initial=0) <= PEAK:
        return signal
    bent = KNEE + (PEAK - KNEE) * np.tanh((magnitude - KNEE) / (PEAK - KNEE))
    return np.where(magnitude > KNEE, np.copysign(bent, signal), signal).astype(np.float32)
