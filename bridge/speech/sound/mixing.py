"""Mixing of several channels into one, so that none cancels another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.speech.sound.samples import Samples

WINDOWS_PER_SECOND = 10
RAMPS_PER_WINDOW = 10
"""A channel is inverted gradually, in 10 ms, which makes no click."""


class Mixer:
    """The mean of ``channels``, of which those that would cancel the others are inverted.

    A microphone or a cable may be wired the wrong way round, perhaps for a part of the recording only. So the sign of
    each channel is decided anew for each ``window`` (in samples), and stays as it was where it does not matter.
    """

    def __init__(self, channels: int, window: int) -> None:
        self._window = window
        self._ramp = np.linspace(0, 1, window // RAMPS_PER_WINDOW, dtype=np.float32)[:, np.newaxis]
        self._signs = np.ones(channels, np.float32)

    def mix(self, frames: Samples) -> Samples:
        """The next samples, mixed: ``frames`` has a row each moment, at least one, and a column each channel."""
        if len(self._signs) == 1:
            return frames[:, 0]
        windows = [frames[start : start + self._window] for start in range(0, len(frames), self._window)]
        mixed = [self._mixed(window.astype(np.float32)) for window in windows]
        return np.rint(np.concatenate(mixed)).astype(np.int16)

    def _mixed(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        before, self._signs = self._signs, self._turned(window.T @ window)
        mixed: NDArray[np.float32] = window @ (self._signs / np.float32(len(self._signs)))
        if (before != self._signs).any():
            ramp = self._ramp[: len(window)]
            weights = before * (1 - ramp) + self._signs * ramp
            mixed[: len(ramp)] = (window[: len(ramp)] * weights).mean(axis=1)
        return mixed

    def _turned(self, products: NDArray[np.float32]) -> NDArray[np.float32]:
        """The new signs, the strongest channel's unchanged; ``products`` has the energies on its diagonal."""
        signs = self._signs.copy()
        strongest, *weaker = np.argsort(-products.diagonal(), kind="stable")
        together = [strongest]
        for channel in weaker:
            common = signs[channel] * (products[channel, together] @ signs[together])
            if common < -products[channel, channel] / 2:  # it would take away more than it brings
                signs[channel] = -signs[channel]
            together.append(channel)
        return signs
