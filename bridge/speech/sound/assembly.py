"""Assembly of prompts: fragments and pauses joined, levelled and encoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bridge.speech.sound.codec import Codec, encode, whole_frames
from bridge.speech.sound.level import levelled
from bridge.speech.sound.samples import Samples

PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """A prompt before it is stored: the bytes of each file by codec's name, and the lengths as in ``Prompt``."""

    files: Mapping[str, bytes]
    seconds: float
    sound_seconds: float


def assemble(
    pieces: Sequence[str], sounds: Mapping[str, Mapping[int, Samples]], codecs: Sequence[Codec]
) -> EncodedPrompt:
    """The prompt of ``pieces`` with a pause between each two; an empty piece is nothing to say. Blocks.

    ``sounds`` has each piece's samples by sample rate.
    """
    return together(
        finish(levelled(join([sounds[piece][rate] if piece else None for piece in pieces], rate), rate), rate, codecs)
        for rate in {codec.sample_rate for codec in codecs}
    )


def finish(levelled: Samples, sample_rate: int, codecs: Sequence[Codec]) -> EncodedPrompt:
    """The audio, in whole frames of 20 ms, for each of ``codecs`` with this sample rate. Blocks."""
    framed = whole_frames(levelled, sample_rate)
    files = {codec.name: encode(framed, codec.name) for codec in codecs if codec.sample_rate == sample_rate}
    return EncodedPrompt(files, len(framed) / sample_rate, round(len(levelled) / sample_rate, 3))


def together(parts: Iterable[EncodedPrompt]) -> EncodedPrompt:
    """One prompt of its parts, one for each sample rate."""
    files: dict[str, bytes] = {}
    seconds = sound_seconds = 0.0
    for part in parts:
        files |= part.files
        seconds, sound_seconds = max(seconds, part.seconds), max(sound_seconds, part.sound_seconds)
    return EncodedPrompt(files, seconds, sound_seconds)


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
