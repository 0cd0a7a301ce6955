"""Levels: one active speech level (ITU-T P.56) for everything that is heard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.speech.sound.samples import FULL_SCALE, Samples, Signal, to_samples, to_signal

SPEECH_LEVEL = -20.0
"""Active speech level in dBov (ITU-T G.100.1: 0 dBov is a full-scale square wave)."""

MOST_GAIN = 40.0
BLOCK = 1 << 20  # a multiple of the envelope's step at 8 and at 16 kHz

PEAK = 10 ** (-1.5 / 20)
KNEE = 0.6

ENVELOPE_STEP = 0.001
TIME_CONSTANT = 0.03
HANGOVER_STEPS = 200
MARGIN = 15.9
THRESHOLDS = 2.0 ** np.arange(-15, 0)


def levelled(samples: Samples, sample_rate: int) -> Samples:
    """``samples`` at an active speech level of -20 dBov, their peaks bent softly below -1.5 dBov.

    Silence stays as it is; what is hardly more is raised by 40 dB and no further.
    """
    level = active_speech_level(samples, sample_rate)
    if level == -np.inf:
        return samples
    gain = np.float32(10 ** (min(SPEECH_LEVEL - level, MOST_GAIN) / 20))
    bends = max(samples.max(), -int(samples.min())) / FULL_SCALE * gain > PEAK
    raised = (to_signal(block) * gain for block in _blocks(samples))
    return np.concatenate([to_samples(_bent(signal) if bends else signal) for signal in raised])


def active_speech_level(samples: Samples, sample_rate: int) -> float:
    """The level in dBov of the speech without its pauses (ITU-T P.56, method B); minus infinity for silence.

    The envelope is taken once a millisecond, above the 694 Hz that P.56 asks for; the energy from every sample.
    """
    energy = sum(float(np.square(to_signal(block), dtype=np.float64).sum()) for block in _blocks(samples))
    if energy == 0:
        return -np.inf
    envelope = _envelope(samples, round(ENVELOPE_STEP * sample_rate))
    samples_per_step = len(samples) / len(envelope)
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


def _blocks(samples: Samples) -> list[Samples]:
    """The samples in blocks: half an hour of them, all at once as floating point numbers, takes four times the room."""
    return [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]


def _envelope(samples: Samples, step: int) -> NDArray[np.float64]:
    """Twice exponentially averaged over 30 ms."""
    means = np.concatenate([_step_means(np.abs(to_signal(block)), step) for block in _blocks(samples)])
    decay = np.exp(-ENVELOPE_STEP / TIME_CONSTANT)
    steps = np.arange(round(10 * TIME_CONSTANT / ENVELOPE_STEP))
    response = (1 - decay) ** 2 * (steps + 1) * decay**steps
    return np.convolve(means, response)[: len(means)]


def _step_means(magnitude: Signal, step: int) -> NDArray[np.float64]:
    padded = np.pad(magnitude, (0, -len(magnitude) % step))
    means: NDArray[np.float64] = padded.reshape(-1, step).mean(axis=1, dtype=np.float64)
    return means


def _active_steps(envelope: NDArray[np.float64], threshold: float) -> int:
    """Steps at or above the threshold, and the 200 ms after each of them."""
    steps = np.arange(len(envelope))
    latest = np.maximum.accumulate(np.where(envelope >= threshold, steps, -HANGOVER_STEPS - 1))
    return int(np.count_nonzero(steps - latest <= HANGOVER_STEPS))


def _bent(signal: Signal) -> Signal:
    """Unchanged up to the knee, then bent towards the peak, which is never reached."""
    magnitude = np.abs(signal)
    bent = KNEE + (PEAK - KNEE) * np.tanh((magnitude - KNEE) / (PEAK - KNEE))
    return np.where(magnitude > KNEE, np.copysign(bent, signal), signal).astype(np.float32)
