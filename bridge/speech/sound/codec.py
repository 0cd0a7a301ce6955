"""Codecs: samples encoded to the bytes of headerless Asterisk sound files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.speech.sound.ffmpeg import g722
from bridge.speech.sound.samples import Samples

FRAMES_PER_SECOND = 50
TAIL_SECONDS = 0.04
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec: ``name`` is Asterisk's name of the format and the file's ending; ``sample_rate`` is in hertz."""

    name: str
    sample_rate: int


CODECS = {codec.name: codec for codec in (Codec("ulaw", 8000), Codec("alaw", 8000), Codec("g722", 16000))}


def whole_frames(samples: Samples, sample_rate: int) -> Samples:
    """``samples`` with at least 40 ms of silence behind them, up to a whole frame of 20 ms.

    Asterisk drops a last frame that is not full.
    """
    frame = sample_rate // FRAMES_PER_SECOND
    tail = round(TAIL_SECONDS * sample_rate)
    return np.pad(samples, (0, tail + -(len(samples) + tail) % frame))


def encode(samples: Samples, codec: str) -> bytes:
    """``samples`` at the codec's rate (8 kHz; 16 kHz for g722). G.722 needs ffmpeg; the call blocks."""
    match codec:
        case "ulaw":
            return _looked_up(ULAW, samples)
        case "alaw":
            return _looked_up(ALAW, samples)
        case "g722":
            return g722(samples)
        case _:
            raise ValueError(f"no codec {codec!r}; there are {', '.join(CODECS)}")


def _looked_up(table: NDArray[np.uint8], samples: Samples) -> bytes:
    """The table's byte for each sample; in blocks, since numpy makes a 64-bit number of each index."""
    patterns = samples.view(np.uint16)
    return b"".join(table[patterns[start : start + BLOCK]].tobytes() for start in range(0, len(patterns), BLOCK))


def ulaw_levels() -> NDArray[np.int32]:
    """What each of the 256 µ-law bytes decodes to (ITU-T G.711)."""
    inverted = ~np.arange(256) & 0xFF
    magnitude = (((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84
    return np.where(inverted & 0x80, -magnitude, magnitude).astype(np.int32)


def alaw_levels() -> NDArray[np.int32]:
    """What each of the 256 A-law bytes decodes to (ITU-T G.711)."""
    toggled = np.arange(256) ^ 0x55
    segment = (toggled & 0x70) >> 4
    step = (toggled & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, step + 0x108 << np.maximum(segment - 1, 0))
    return np.where(toggled & 0x80, magnitude, -magnitude).astype(np.int32)


def _nearest_bytes(levels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """For each 16-bit sample, indexed by its unsigned bit pattern, the byte whose level is nearest.

    µ-law has two zeros. 0xFF is used, as Asterisk does: decoding and encoding again then gives the same bytes.
    """
    order = np.lexsort((-np.arange(256), levels))
    distinct, first = np.unique(levels[order], return_index=True)
    between = (distinct[1:] + distinct[:-1]) / 2
    samples = np.arange(65536).astype(np.uint16).view(np.int16)
    return order[first][np.searchsorted(between, samples, side="right")].astype(np.uint8)


ULAW = _nearest_bytes(ulaw_levels())
ALAW = _nearest_bytes(alaw_levels())
