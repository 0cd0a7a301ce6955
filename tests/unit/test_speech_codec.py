"""Files are what Asterisk expects, and decode to what was meant."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from bridge.speech.sound.codec import encode, whole_frames
from bridge.speech.sound.samples import Samples

FFMPEG_NAMES = {"ulaw": "mulaw", "alaw": "alaw", "g722": "g722"}
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)


def decoded(data: bytes, codec: str) -> Samples:
    rate = [] if codec == "g722" else ["-ar", "8000"]
    command = ["ffmpeg", "-v", "error", "-f", FFMPEG_NAMES[codec], *rate, "-i", "pipe:0", "-f", "s16le", "pipe:1"]
    return np.frombuffer(subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout, "<i2")


@pytest.mark.parametrize("codec", ["ulaw", "alaw"])
def test_every_sample_becomes_the_nearest_level(codec: str) -> None:
    levels = np.unique(decoded(bytes(range(256)), codec).astype(np.int32))
    nearest = np.abs(levels[:, None] - EVERY_SAMPLE[None, ::37].astype(np.int32)).min(axis=0)
    heard = decoded(encode(EVERY_SAMPLE, codec), codec).astype(np.int32)[::37]
    assert np.array_equal(np.abs(heard - EVERY_SAMPLE[::37]), nearest)


@pytest.mark.parametrize("codec", ["ulaw", "alaw"])
def test_encoding_what_was_decoded_gives_the_same_bytes(codec: str) -> None:
    data = encode(EVERY_SAMPLE, codec)
    assert encode(decoded(data, codec), codec) == data


def test_mu_law_has_one_zero() -> None:
    data = encode(EVERY_SAMPLE, "ulaw")
    assert 0x7F not in data
    assert encode(np.zeros(1, np.int16), "ulaw") == b"\xff"


def test_a_tone_survives_g722() -> None:
    tone = np.rint(8000 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)).astype(np.int16)
    data = encode(tone, "g722")
    heard = np.abs(np.fft.rfft(decoded(data, "g722")[:16000]))
    assert len(data) == 8000
    assert heard.argmax() == 1000


@pytest.mark.parametrize("length", [0, 1, 159, 160, 161, 8000])
@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_a_file_is_whole_frames_with_a_tail_of_silence(length: int, sample_rate: int) -> None:
    framed = whole_frames(np.ones(length, np.int16), sample_rate)
    assert len(framed) % (sample_rate // 50) == 0
    assert 0.04 <= (len(framed) - length) / sample_rate < 0.06
    assert framed[:length].all()
    assert not framed[length:].any()
