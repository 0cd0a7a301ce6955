"""The speech cache on the disk: fragments to be joined again, and prompts for Asterisk to play.

Whatever is read is checked against its CRC-32; what does not match (a full disk, a crash, a change by hand) counts as
missing and is made again. Asterisk, which runs as another user, may read everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import numpy as np

from bridge.speech.cache.files import read, write
from bridge.speech.phrase import Prompt
from bridge.speech.sound.assembly import EncodedPrompt
from bridge.speech.sound.samples import Samples

CRC_BYTES = 4
IN_USE_SECONDS = 3600.0
"""What was used within this time may still be playing on a call."""


def seal(samples: Samples) -> bytes:
    """A fragment as it is kept: its CRC-32, then 16-bit little-endian samples."""
    pcm = samples.astype("<i2").tobytes()
    return zlib.crc32(pcm).to_bytes(CRC_BYTES, "little") + pcm


def unseal(sealed: bytes | None) -> Samples | None:
    """The fragment; None when it is missing or does not match its CRC-32."""
    if sealed is None or zlib.crc32(sealed[CRC_BYTES:]).to_bytes(CRC_BYTES, "little") != sealed[:CRC_BYTES]:
        return None
    return np.frombuffer(sealed, np.dtype("<i2"), offset=CRC_BYTES)


def digest(*shapes_the_sound: object) -> str:
    """A file's name: two prompts share it only if everything that shapes their sound is the same."""
    return hashlib.sha256(json.dumps(shapes_the_sound).encode()).hexdigest()


class Cache:
    """A folder of fragments and prompts by their digest. Blocking: call it from a thread. Writing raises OSError.

    A file's modification time is the time of its last use; for a prompt it is that of its ``.json``.
    """

    def __init__(self, folder: Path) -> None:
        self._fragments = folder / "fragments"
        self._prompts = folder / "prompts"
        self._using = Lock()

    def fragment(self, name: str, sample_rate: int) -> Samples | None:
        path = self._fragment_path(name, sample_rate)
        return unseal(read(path)) if self._use(path) else None

    def keep_fragment(self, name: str, sample_rate: int, samples: Samples) -> None:
        write(self._fragment_path(name, sample_rate), seal(samples))

    def prompt(self, name: str, codecs: Sequence[str]) -> Prompt | None:
        stem = self._stem(name)
        about = stem.with_suffix(".json")
        text = read(about) if self._use(about) else None
        if text is None:
            return None
        try:
            fields = json.loads(text)
            checks = [(codec, fields["crc32"][codec]) for codec in codecs]
            seconds, sound_seconds = fields["seconds"], fields["sound_seconds"]
            prompt = Prompt(stem, seconds, sound_seconds, fields["engine"], fields["voice"], cached=True)
        except (ValueError, KeyError, TypeError):
            return None
        if any(_crc32(stem.with_suffix(f".{codec}")) != check for codec, check in checks):
            return None
        return prompt

    def keep_prompt(self, name: str, made: EncodedPrompt, *, engine: str, voice: str) -> Prompt:
        stem = self._stem(name)
        for codec, audio in made.files.items():
            write(stem.with_suffix(f".{codec}"), audio)
        about = {
            "seconds": made.seconds,
            "sound_seconds": made.sound_seconds,
            "engine": engine,
            "voice": voice,
            "crc32": {codec: zlib.crc32(audio) for codec, audio in made.files.items()},
        }
        write(stem.with_suffix(".json"), json.dumps(about).encode())
        return Prompt(stem, made.seconds, made.sound_seconds, engine, voice, cached=False)

    def sweep(self, most_bytes: int) -> int:
        """Remove the least recently used until ``most_bytes`` are left, and files that were never finished.

        Nothing that was used within the last hour is removed, even if more is left. Returns the bytes removed.
        """
        unused_since = time.time() - IN_USE_SECONDS
        groups: dict[Path, list[Path]] = defaultdict(list)
        for path in [*self._fragments.rglob("*.*"), *self._prompts.rglob("*.*")]:
            groups[path if path.name.startswith(".") else path.with_suffix("")].append(path)
        sizes = {stem: sum(map(_size, paths)) for stem, paths in groups.items()}
        left = total = sum(sizes.values())
        for stem in sorted(groups, key=lambda stem: _last_use(groups[stem])):
            unfinished = stem.name.startswith(".")
            if (unfinished or left > most_bytes) and self._remove_unused(groups[stem], unused_since):
                left -= sizes[stem]
        return total - left

    def _use(self, path: Path) -> bool:
        """Record that a file is used; False when it is not there."""
        with self._using:
            try:
                os.utime(path)
            except OSError:
                return False
            return True

    def _remove_unused(self, paths: Sequence[Path], unused_since: float) -> bool:
        """Remove all of them, unless one was used in the meantime."""
        with self._using:
            if _last_use(paths) > unused_since:
                return False
            for path in paths:
                path.unlink(missing_ok=True)
            return True

    def _fragment_path(self, name: str, sample_rate: int) -> Path:
        return self._fragments / name[:2] / f"{name}.{sample_rate}"

    def _stem(self, name: str) -> Path:
        return self._prompts / name[:2] / name


def _crc32(path: Path) -> int | None:
    data = read(path)
    return None if data is None else zlib.crc32(data)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _last_use(paths: Sequence[Path]) -> float:
    times = []
    for path in paths:
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times, default=0.0)
