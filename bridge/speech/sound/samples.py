"""Types of sound in memory: 16-bit samples, floating-point signals, and the conversion between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""16-bit mono PCM."""

Signal = NDArray[np.float32]
"""Mono, full scale is ±1."""

FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Waveform:
    """Mono samples, and how many of them make a second."""

    samples: Samples
    sample_rate: int


def to_signal(samples: Samples) -> Signal:
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def to_samples(signal: Signal) -> Samples:
    samples: Samples = np.rint(signal * np.float32(FULL_SCALE)).astype(np.int16)
    return samples
