"""Audibility: whether a listener hears anything of a sound."""

from __future__ import annotations

import numpy as np

from bridge.speech.sound.samples import Samples, to_signal

AUDIBLE_LEVEL = -46.0
"""In dBov, over 20 ms. Speech is at -20 here; the noise in a recording of silence stays below."""

AUDIBLE_SECONDS = 0.04
"""As long as the shortest key tone; the thump with which a constant offset begins is shorter."""

LOWEST_HERTZ = 200
"""A telephone has little below it."""

WINDOWS_PER_SECOND = 50
BLOCK_WINDOWS = 1 << 12


def is_audible(samples: Samples, sample_rate: int) -> bool:
    """Whether a listener hears any of ``samples``, which are at their final level. Blocks."""
    window = sample_rate // WINDOWS_PER_SECOND
    wanted = round(AUDIBLE_SECONDS * WINDOWS_PER_SECOND)
    step = window * BLOCK_WINDOWS
    for start in range(0, len(samples), step):
        wanted -= _audible_windows(samples[start : start + step], window)
        if wanted <= 0:
            return True
    return False


def _audible_windows(samples: Samples, window: int) -> int:
    padded = np.pad(to_signal(samples), (0, -len(samples) % window)).reshape(-1, window)
    taper = np.hanning(window).astype(np.float32)
    spectrum = np.fft.rfft(padded * taper)[:, round(LOWEST_HERTZ / WINDOWS_PER_SECOND) :]
    power = 2 * np.square(np.abs(spectrum)).sum(axis=1) / (window * np.square(taper).sum())
    return int(np.count_nonzero(power > 10 ** (AUDIBLE_LEVEL / 10)))
