"""From an engine's waveform to a fragment: trimmed to its sound, so that the pauses beside it are exact."""

from __future__ import annotations

import numpy as np
import soxr

from bridge.speech.sound.samples import Samples, Signal, Waveform, to_samples, to_signal

EMPHASIS = 0.6
HEADROOM = 0.5  # the emphasis and the resampler may raise peaks; levels are set when the prompt is joined

WINDOW_SECONDS = 0.005
SOUND_BELOW_LOUDEST = 10 ** (-34 / 20)
FADE_SECONDS = 0.002


def fragment_sound(waveform: Waveform, sample_rate: int) -> Samples:
    """The fragment at ``sample_rate``, from its first audible sound to its last; empty when nothing is heard."""
    signal = soxr.resample(to_signal(waveform.samples), waveform.sample_rate, sample_rate)
    sound = _fade(_trim(_emphasize(signal), sample_rate), sample_rate)
    return to_samples(sound * np.float32(HEADROOM))


def _emphasize(signal: Signal) -> Signal:
    """Raised by some 10 dB from 300 Hz to 3 kHz, as a telephone's microphone does (ITU-T P.48, sending side).

    Engines speak for loudspeakers, with the sound of s, f and th above what a telephone line carries: without this a
    word's last consonant is lost in the pause.
    """
    emphasized = signal.copy()
    emphasized[1:] -= EMPHASIS * signal[:-1]
    return emphasized


def _trim(signal: Signal, sample_rate: int) -> Signal:
    """Cut, in windows of 5 ms, to what is at most 34 dB below the loudest window."""
    window = round(WINDOW_SECONDS * sample_rate)
    windows = signal[: len(signal) // window * window].reshape(-1, window)
    if not windows.any():
        return signal[:0]
    power = np.square(windows).mean(axis=1)
    audible = np.flatnonzero(power >= power.max() * SOUND_BELOW_LOUDEST**2)
    return signal[audible[0] * window : (audible[-1] + 1) * window]


def _fade(signal: Signal, sample_rate: int) -> Signal:
    """Faded in and out over 2 ms, so that no edge clicks."""
    length = min(round(FADE_SECONDS * sample_rate), len(signal) // 2)
    if length == 0:
        return signal
    ramp = np.arange(1, length + 1, dtype=np.float32) / (length + 1)
    faded = signal.copy()
    faded[:length] *= ramp
    faded[-length:] *= ramp[::-1]
    return faded
