"""Sounds and audio files, made for tests."""

from __future__ import annotations

import os
import struct
import subprocess
import zlib

import numpy as np
from numpy.typing import NDArray

MP3 = ["-write_xing", "0", "-id3v2_version", "0", "-b:a", "64k", "-f", "mp3", "pipe:1"]
"""Frames alone, with nothing around them."""


def made(*arguments: str) -> bytes:
    command = ["ffmpeg", "-v", "error", "-y", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def tone(seconds: float, hertz: int, *output: str) -> bytes:
    source = f"sine=frequency={hertz}:duration={seconds}:sample_rate=44100"
    return made("-f", "lavfi", "-i", source, *output)


def wav(*channels: NDArray[np.float64], rate: int = 8000) -> bytes:
    """16 bits; full scale is 1."""
    samples = (np.stack(channels, axis=1) * 32767).round().astype("<i2").tobytes()
    count = len(channels)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, count, rate, rate * 2 * count, 2 * count, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def sine(hertz: float, seconds: float, amplitude: float = 0.3, rate: int = 8000) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


# Tags (ID3v2.3 and 2.4)


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(body: bytes, *, version: int = 3, footer: bool = False) -> bytes:
    head = bytes([version, 0, 0x10 if footer else 0]) + synchsafe(len(body))
    return b"ID3" + head + body + (b"3DI" + head if footer else b"")


def title(version: int = 3) -> bytes:
    return b"TIT2" + (11).to_bytes(4, "big") + b"\0\0" + b"\0an example"


def cover(size: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\xff\0\0")
    chunks = [(b"IHDR", header), (b"tEXt", os.urandom(size)), (b"IDAT", pixel), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)
    picture = b"\0image/png\0\x03\0" + png
    return b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture


def pitch(samples: NDArray[np.int16]) -> float:
    """The strongest frequency."""
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples))))) * 8000 / len(samples))
