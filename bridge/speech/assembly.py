"""Fragments and pauses, made into the files of a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from bridge.speech.codec import Codec, encode, whole_frames
from bridge.speech.engine import Samples
from bridge.speech.level import levelled

PAUSE_SECONDS = 0.5


def assemble(
    pieces: Sequence[str], sounds: Mapping[str, Mapping[int, Samples]], codecs: Sequence[Codec]
) -> tuple[dict[str, bytes], float]:
    """The audio by codec's name, and its seconds. ``sounds`` has each piece's samples by sample rate. Blocks."""
    files = {}
    seconds = 0.0
    for sample_rate, those in groupby(sorted(codecs, key=_sample_rate), key=_sample_rate):
        joined = join([sounds[piece][sample_rate] if piece else None for piece in pieces], sample_rate)
        samples = whole_frames(levelled(joined, sample_rate), sample_rate)
        seconds = max(seconds, len(samples) / sample_rate)
        files.update({codec.name: encode(samples, codec.name) for codec in those})
    return files, seconds


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


def _sample_rate(codec: Codec) -> int:
    return codec.sample_rate
