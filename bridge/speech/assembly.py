"""Fragments and pauses, made into the files of a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bridge.speech.codec import Codec, encode, whole_frames
from bridge.speech.engine import Samples
from bridge.speech.level import levelled

PAUSE_SECONDS = 0.5


def assemble(
    pieces: Sequence[str], sounds: Mapping[str, Mapping[int, Samples]], codecs: Sequence[Codec]
) -> tuple[dict[str, bytes], float]:
    """The audio by codec's name, and its seconds. ``sounds`` has each piece's samples by sample rate. Blocks."""
    files: dict[str, bytes] = {}
    seconds = 0.0
    for sample_rate in {codec.sample_rate for codec in codecs}:
        joined = join([sounds[piece][sample_rate] if piece else None for piece in pieces], sample_rate)
        finished, length = finish(joined, sample_rate, codecs)
        files |= finished
        seconds = max(seconds, length)
    return files, seconds


def finish(samples: Samples, sample_rate: int, codecs: Sequence[Codec]) -> tuple[dict[str, bytes], float]:
    """Levelled and in whole frames: the audio for each of ``codecs`` with this sample rate, and its seconds. Blocks."""
    finished = whole_frames(levelled(samples, sample_rate), sample_rate)
    files = {codec.name: encode(finished, codec.name) for codec in codecs if codec.sample_rate == sample_rate}
    return files, len(finished) / sample_rate


def join(pieces: Sequence[Samples | None], sample_rate: int) -> Samples:
    """The pieces with a pause of exactly 0.5 s between each two; None is a piece of which nothing is heard."""
    pause = np.zeros(round(PAUSE_SECONDS * sample_rate), np.int16)
    parts = []
    for place, piece in enumerate(pieces):
        if place > 0:
            parts.append(pause)
        if piece is not None:
            parts.append(piece)
    return np.concatenate(parts) if parts else pause[:0]
