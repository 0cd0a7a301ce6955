"""Audio files of every make, with whatever stands around their sound, judged by what Asterisk would play."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge.speech.engine_registry import build_engines
from bridge.speech.errors import AudioUnsupported
from bridge.speech.phrase import Prompt
from bridge.speech.sound.codec import ulaw_levels
from bridge.speech.sound.level import active_speech_level
from bridge.speech.speech import Speech
from tests.sounds import MP3, cover, made, pitch, sine, synchsafe, tag, title, tone, wav

LEVELS = ulaw_levels().astype(np.int16)


NOT_A_PICTURE = b"APIC" + (1_500_014).to_bytes(4, "big") + b"\0\0" + b"\0image/png\0\x03\0" + b"x" * 1_500_000

IN_FRONT: dict[str, Callable[[], bytes]] = {
    "a cover of 1.5 MB": lambda: tag(cover(1_500_000)),
    "a cover of 3.9 MB": lambda: tag(cover(3_900_000)),
    "a cover that is none": lambda: tag(NOT_A_PICTURE),
    "two tags": lambda: tag(title()) + tag(title()),
    "two tags with covers": lambda: tag(cover(700_000)) + tag(cover(700_000)),
    "three tags": lambda: tag(title()) * 3,
    "a footer": lambda: tag(title(4), version=4, footer=True),
    "padding": lambda: tag(title() + bytes(100_000)),
    "an old tag": lambda: b"ID3\2\0\0" + synchsafe(10) + bytes(10),
    "zeros": lambda: bytes(5000),
    "line ends": lambda: b"\r\n\r\n",
    "half a frame": lambda: bytes(random.Random(1).choices(range(255), k=500)),  # noqa: S311 - the same each time
    "a piece of another": lambda: tone(0.2, 440, *MP3)[100:],
}


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[Speech]:
    speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    yield speech
    await speech.close()


def played(prompt: Prompt) -> NDArray[np.int16]:
    samples: NDArray[np.int16] = LEVELS[np.frombuffer(prompt.stem.with_suffix(".ulaw").read_bytes(), np.uint8)]
    return samples


async def heard(speech: Speech, data: bytes) -> NDArray[np.int16]:
    return played(await speech._audio.prompt(os.urandom(8).hex(), data))


@pytest.mark.parametrize("oddity", IN_FRONT)
async def test_an_mp3_is_played_whatever_is_in_front_of_it(speech: Speech, oddity: str) -> None:
    mp3 = tone(2, 440, *MP3)
    samples = await heard(speech, IN_FRONT[oddity]() + mp3)
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert 2 <= len(samples) / 8000 < 2.4
    upload = await speech.keep_upload(IN_FRONT[oddity]() + mp3)
    assert upload.format == "mp3"


CONTAINERS = {
    "wav": ["pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_mulaw", "pcm_alaw", "adpcm_ms"],
    "mp3": ["libmp3lame"],
    "mp2": ["mp2"],
    "adts": ["aac"],
    "aiff": ["pcm_s16be", "pcm_s24be"],
    "ipod": ["aac", "alac"],
    "mp4": ["aac", "libmp3lame"],
    "ogg": ["libvorbis", "libopus", "flac", "libspeex"],
    "asf": ["wmav1", "wmav2"],
    "rf64": ["pcm_s16le"],
}
RATES = {"libopus": [48000], "libspeex": [8000, 16000, 32000], "mp2": [22050, 32000, 48000]}
MOST_CHANNELS = {"libspeex": 1}
"""Speex keeps the sum of two channels alone."""
KINDS = [(container, codec) for container, codecs in CONTAINERS.items() for codec in codecs]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), kind=st.sampled_from(KINDS), seconds=st.floats(0.3, 3))
async def test_every_make_of_file_is_heard(
    speech: Speech, tmp_path: Path, data: st.DataObject, kind: tuple[str, str], seconds: float
) -> None:
    container, codec = kind
    rate = data.draw(st.sampled_from(RATES.get(codec, [8000, 11025, 16000, 22050, 44100, 48000])))
    channels = data.draw(st.integers(1, 6 if codec.startswith("pcm") else MOST_CHANNELS.get(codec, 2)))
    signs = data.draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=channels, max_size=channels))
    sound = sine(600, seconds, rate=rate)
    source = tmp_path / "source.wav"
    source.write_bytes(wav(*(sign * sound for sign in signs), rate=rate))
    ending = ["-f", "wav", "-rf64", "always"] if container == "rf64" else ["-f", container]
    arguments = ["-i", str(source), "-metadata", "title=example", "-strict", "-2", "-c:a", codec, *ending]
    file = tmp_path / "made"
    made(*arguments, str(file))
    samples = await heard(speech, file.read_bytes())
    assert pitch(samples) == pytest.approx(600, abs=8)
    assert active_speech_level(samples, 8000) == pytest.approx(-20, abs=1.5)
    assert seconds - 0.05 < len(samples) / 8000 < seconds + 0.35


# Channels


@pytest.mark.parametrize("channels", [2, 3, 4, 6, 8, 10])
async def test_channels_that_are_inverted_are_heard(speech: Speech, channels: int) -> None:
    sound = sine(500, 3)
    samples = await heard(speech, wav(*(sound * (-1) ** channel for channel in range(channels))))
    assert pitch(samples) == pytest.approx(500, abs=1)
    assert active_speech_level(samples, 8000) == pytest.approx(-20, abs=1)


async def test_who_speaks_on_either_side_is_heard(speech: Speech) -> None:
    silence = np.zeros(8000)
    left, right = np.concatenate([sine(500, 1), silence]), np.concatenate([silence, sine(700, 1)])
    samples = await heard(speech, wav(left, -right))
    assert pitch(samples[:8000]) == pytest.approx(500, abs=1)
    assert pitch(samples[8000:16000]) == pytest.approx(700, abs=1)


# Nothing to hear


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(24000),
        np.zeros(80),
        np.full(24000, 0.5),
        np.full(24000, -1.0),
        np.full(24000, 0.001),
        np.random.default_rng(1).choice([-1, 0, 0, 1], 24000) / 32767,
        sine(10, 3, 0.9),
    ],
    ids=["zeros", "short zeros", "an offset", "a large offset", "a small offset", "dither", "10 Hz"],
)
@pytest.mark.parametrize("channels", [1, 2])
async def test_a_file_without_sound_is_refused(speech: Speech, sound: NDArray[np.float64], channels: int) -> None:
    data = wav(*[sound] * channels)
    with pytest.raises(AudioUnsupported, match="nothing is to be heard"):
        await heard(speech, data)
    with pytest.raises(AudioUnsupported, match="nothing is to be heard"):
        await speech.keep_upload(data)


async def test_what_is_above_a_telephone_s_band_is_no_sound(speech: Speech) -> None:
    with pytest.raises(AudioUnsupported, match="nothing is to be heard"):
        await heard(speech, wav(sine(12_000, 2, 0.5, 48_000), rate=48_000))


@pytest.mark.parametrize(
    "sound",
    [
        sine(500, 0.1),
        sine(500, 0.05),
        sine(500, 2, 0.0002),
        np.concatenate([np.zeros(40_000), sine(500, 0.06), np.zeros(40_000)]),
        sine(500, 2) + 0.5,
    ],
    ids=["0.1 s", "0.05 s", "very quiet", "one pulse", "an offset"],
)
async def test_a_little_sound_is_sound(speech: Speech, sound: NDArray[np.float64]) -> None:
    samples = await heard(speech, wav(sound))
    assert pitch(samples) == pytest.approx(500, abs=30)
    assert np.abs(samples).max() > 300


# How long it is


@pytest.mark.parametrize("seconds", [3.0, 2.999, 3.001, 0.1, 1.0, 59.995, 60.0])
@pytest.mark.parametrize("rate", [8000, 44100, 48000, 11025])
async def test_an_upload_is_as_long_as_its_sound(speech: Speech, seconds: float, rate: int) -> None:
    sound = sine(500, seconds, rate=rate)
    upload = await speech.keep_upload(wav(sound, sound, rate=rate))
    assert upload.seconds == pytest.approx(seconds, abs=0.0005)
    assert upload.seconds == round(upload.seconds, 3)
    prompt = await speech.upload(upload.id)
    assert prompt.sound_seconds == upload.seconds
    assert 0.039 < prompt.seconds - seconds < 0.061


@pytest.mark.parametrize("seconds", [3.0, 1.0, 0.5])
async def test_the_padding_of_an_encoder_is_no_sound(speech: Speech, tmp_path: Path, seconds: float) -> None:
    """LAME and its like note in the file how much they added."""
    file = tmp_path / "made.mp3"
    tone(seconds, 500, "-b:a", "64k", "-y", str(file))
    upload = await speech.keep_upload(file.read_bytes())
    assert upload.seconds == seconds


async def test_half_an_hour_is_the_most(speech: Speech) -> None:
    sound = sine(500, 1801, rate=800)
    with pytest.raises(AudioUnsupported, match="longer than 30 minutes"):
        await speech.keep_upload(wav(sound, rate=800))
    upload = await speech.keep_upload(wav(sound[: 1800 * 800], rate=800))
    assert upload.seconds == 1800
