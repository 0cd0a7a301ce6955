"""Conversions by ffmpeg: from mp3, to another tempo, to G.722. Every call blocks and starts a process."""

from __future__ import annotations

import io
import subprocess
import warnings

import numpy as np

from bridge.speech.errors import SpeechError
from bridge.speech.sound.samples import Samples, Waveform

with warnings.catch_warnings():
    # pydub needs audioop (deprecated up to Python 3.12, a package of its own since) and has invalid escapes.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError


CONVERTING_SECONDS = 60


class FfmpegError(SpeechError):
    """ffmpeg is not installed, or could not make sense of what it was given."""

    id = "FFMPEG_FAILED"


def decode_mp3(data: bytes) -> Waveform:
    """``data`` as mono samples at its own rate; raises FfmpegError."""
    try:
        segment = AudioSegment.from_file(io.BytesIO(data), "mp3", codec="mp3")
    except CouldntDecodeError as error:
        raise FfmpegError("ffmpeg finds no mp3 in the data") from error
    except FileNotFoundError as error:
        raise FfmpegError("ffmpeg is not installed") from error
    mono = segment.set_sample_width(2).set_channels(1)
    return Waveform(np.frombuffer(mono.raw_data, np.dtype("<i2")), mono.frame_rate)


def at_tempo(waveform: Waveform, rate: float) -> Waveform:
    """Spoken ``rate`` times as fast (0.5 to 2) at the same pitch; raises FfmpegError."""
    pcm = _convert(waveform.samples, waveform.sample_rate, ["-filter:a", f"atempo={rate}", "-f", "s16le"])
    return Waveform(np.frombuffer(pcm, np.dtype("<i2")), waveform.sample_rate)


def g722(samples: Samples) -> bytes:
    """Samples at 16 kHz as G.722 at 64 kbit/s (ITU-T G.722); raises FfmpegError."""
    return _convert(samples, 16_000, ["-f", "g722"])


def _convert(samples: Samples, sample_rate: int, output: list[str]) -> bytes:
    source = ["-f", "s16le", "-ar", str(sample_rate), "-ac", "1", "-i", "pipe:0"]
    command = ["ffmpeg", "-v", "error", *source, *output, "pipe:1"]
    try:
        done = subprocess.run(
            command, input=samples.astype("<i2").tobytes(), capture_output=True, check=True, timeout=CONVERTING_SECONDS
        )
    except FileNotFoundError as error:
        raise FfmpegError("ffmpeg is not installed") from error
    except subprocess.CalledProcessError as error:
        raise FfmpegError(f"ffmpeg failed with {error.returncode}") from error
    except subprocess.TimeoutExpired as error:
        raise FfmpegError(f"ffmpeg was not ready after {CONVERTING_SECONDS} s") from error
    return done.stdout
