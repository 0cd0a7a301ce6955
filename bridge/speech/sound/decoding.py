"""Decoding of audio files from outside into samples, by ffmpeg.

A file is hostile until checked. ffmpeg itself finds out what it is, so that whatever it can play is played. But ffmpeg
may open only that one file, and no other that the file names; it knows a few formats, none of which is a playlist, and
decoders for sound only; its time is limited, and of our environment it sees only ``PATH``.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from bridge.base.children import child
from bridge.speech.errors import AudioUnsupported
from bridge.speech.sound.ffmpeg import FfmpegError
from bridge.speech.sound.mixing import WINDOWS_PER_SECOND, Mixer
from bridge.speech.sound.samples import Samples

MOST_SECONDS = 1800
DECODING_SECONDS = 60

LOWEST_HERTZ = 60
"""Below is no speech, only rumble and direct current, which would count as loudness."""

FORMATS = ("aac", "aiff", "asf", "mov", "mp3", "ogg", "wav")
"""As ffmpeg names them: mov is m4a and mp4 too, mp3 is mp2 too, asf is wma."""

DECODERS = (
    "aac,alac,flac,gsm,gsm_ms,libgsm,libgsm_ms,libopus,libspeex,libvorbis,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,"
    "speex,vorbis,wmalossless,wmapro,wmav1,wmav2,wmavoice,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,g722,pcm_alaw,pcm_f32be,"
    "pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8"
)

AU_HEADER = struct.Struct(">4s5L")
"""Magic number, where the samples begin, their number, encoding, sample rate and channels, big-endian."""


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file by its path; for one in memory that is ``/dev/fd/N``, and ``descriptors`` are what ffmpeg inherits."""

    path: str
    descriptors: tuple[int, ...] = ()


async def decode(file: AudioFile, sample_rate: int, formats: Sequence[str] = FORMATS) -> Samples:
    """The sound of ``file``, mono at ``sample_rate``; pictures and video in it are ignored.

    Raises AudioUnsupported, and FfmpegError when ffmpeg is not installed.
    """
    allowed = ["-protocol_whitelist", "file", "-format_whitelist", ",".join(formats), "-codec_whitelist", DECODERS]
    limits = ["-nostdin", "-v", "error", "-threads", "1", "-timelimit", str(DECODING_SECONDS)]
    sound = ["-map", "0:a:0", "-t", str(MOST_SECONDS + 1), "-af", f"highpass=f={LOWEST_HERTZ},aresample={sample_rate}"]
    output = ["-c:a", "pcm_s16be", "-f", "au", "pipe:1"]
    async with _running(["ffmpeg", *limits, *allowed, "-i", f"file:{file.path}", *sound, *output], file) as process:
        assert process.stdout is not None
        samples = await _mixed(process.stdout, sample_rate)
        status = await process.wait()
    if status != 0 or not samples.size:
        raise AudioUnsupported(f"there is no sound in the file that can be decoded as {', '.join(formats)}")
    if samples.size > MOST_SECONDS * sample_rate:
        raise AudioUnsupported(f"the audio is longer than {MOST_SECONDS // 60} minutes")
    return samples


async def _mixed(output: asyncio.StreamReader, sample_rate: int) -> Samples:
    """ffmpeg's output as mono samples; empty when there is no sound.

    It is mixed second by second, so that many channels need no more room than one.
    """
    mixed = bytearray()
    header = await _at_most(output, AU_HEADER.size)
    if len(header) == AU_HEADER.size:
        _, begin, _, _, _, channels = AU_HEADER.unpack(header)
        await _at_most(output, begin - AU_HEADER.size)
        mixer = Mixer(channels, sample_rate // WINDOWS_PER_SECOND)
        while pcm := await _at_most(output, 2 * channels * sample_rate):
            samples = np.frombuffer(pcm, ">i2", len(pcm) // (2 * channels) * channels)
            mixed += mixer.mix(samples.astype(np.int16).reshape(-1, channels)).tobytes()
    return np.frombuffer(mixed, np.int16)


async def _at_most(output: asyncio.StreamReader, count: int) -> bytes:
    """``count`` bytes, fewer at the end."""
    try:
        return await output.readexactly(count)
    except asyncio.IncompleteReadError as rest:
        return rest.partial


@asynccontextmanager
async def _running(command: Sequence[str], file: AudioFile) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that reads the file, and that is gone afterwards. Raises AudioUnsupported when it takes too long."""
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    try:
        async with (
            child(*command, env=environment, pass_fds=file.descriptors) as process,
            asyncio.timeout(DECODING_SECONDS),
        ):
            yield process
    except FileNotFoundError as error:
        raise FfmpegError("ffmpeg is not installed") from error
    except TimeoutError as error:
        raise AudioUnsupported("the file takes too long to decode") from error
