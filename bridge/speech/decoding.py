"""Audio files from outside, made into samples by ffmpeg.

A file is hostile until checked: its format is read here from its first bytes and ffmpeg is told it, so that no playlist
is ever opened; ffmpeg may read that one file and use decoders for sound, for a limited time, and sees nothing of our
environment.
"""

from __future__ import annotations

import asyncio
import os
from typing import BinaryIO

import numpy as np

from bridge.children import child
from bridge.speech.engine import Samples
from bridge.speech.errors import AudioUnsupported
from bridge.speech.ffmpeg import FfmpegError

MOST_SECONDS = 1800
DECODING_SECONDS = 60
HEAD_BYTES = 1 << 20
ID3_HEADER_BYTES = 10

LOWEST_HERTZ = 60
"""Below is no speech, only rumble and direct current, which would count as loudness."""

DECODERS = (
    "aac,alac,flac,gsm,gsm_ms,libgsm,libgsm_ms,libopus,libspeex,libvorbis,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,"
    "speex,vorbis,wmalossless,wmapro,wmav1,wmav2,wmavoice,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,g722,pcm_alaw,pcm_f32be,"
    "pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8"
)


def audio_format(head: bytes) -> str:
    """ffmpeg's name for the format of a file that begins like this.

    Formats: aac aiff asf (wma) mov (m4a, mp4) mp3 (mp2) ogg wav. Raises AudioUnsupported.
    """
    match head[:4], head[8:12]:
        case ((b"RIFF" | b"RF64"), b"WAVE"):
            return "wav"
        case b"FORM", (b"AIFF" | b"AIFC"):
            return "aiff"
        case b"OggS", _:
            return "ogg"
        case b"\x30\x26\xb2\x75", _:
            return "asf"
    if head[4:8] == b"ftyp":
        return "mov"
    first = _behind_id3(head).lstrip(b"\0")[:2]
    if len(first) == 2 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0:  # noqa: PLR2004 - an MPEG frame's sync word
        # ISO/IEC 13818-7: an ADTS frame says "layer 0", which no MPEG audio frame does (ISO/IEC 11172-3).
        return "mp3" if first[1] & 0x06 else "aac"
    raise AudioUnsupported("the file is in no audio format that is known here")


async def decode(file: BinaryIO, sample_rate: int) -> Samples:
    """The sound of ``file``, mono at ``sample_rate``; pictures and video in it are ignored.

    Raises AudioUnsupported, and FfmpegError when ffmpeg is not installed.
    """
    source = ["-f", audio_format(os.pread(file.fileno(), HEAD_BYTES, 0)), "-i", f"file:/dev/fd/{file.fileno()}"]
    allowed = ["-protocol_whitelist", "file", "-codec_whitelist", DECODERS, "-timelimit", str(DECODING_SECONDS)]
    sound = f"aformat=channel_layouts=mono,highpass=f={LOWEST_HERTZ},aresample={sample_rate}"
    output = ["-map", "0:a:0", "-t", str(MOST_SECONDS + 1), "-af", sound, "-f", "s16le", "pipe:1"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", *allowed, *source, *output]
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    try:
        async with (
            child(*command, env=environment, pass_fds=[file.fileno()]) as ffmpeg,
            asyncio.timeout(DECODING_SECONDS),
        ):
            pcm, _ = await ffmpeg.communicate()
    except FileNotFoundError as error:
        raise FfmpegError("ffmpeg is not installed") from error
    except TimeoutError as error:
        raise AudioUnsupported("the file takes too long to decode") from error
    samples = np.frombuffer(pcm, np.dtype("<i2"))
    if ffmpeg.returncode != 0 or not samples.size:
        raise AudioUnsupported("the file has no sound that can be decoded")
    if samples.size > MOST_SECONDS * sample_rate:
        raise AudioUnsupported(f"the audio is longer than {MOST_SECONDS // 60} minutes")
    return samples


def _behind_id3(head: bytes) -> bytes:
    """ID3v2.4, 3.1: the tag's size is 28 bits in four bytes, its header not included."""
    if head[:3] != b"ID3" or len(head) < ID3_HEADER_BYTES:
        return head
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return head[ID3_HEADER_BYTES + size :]
