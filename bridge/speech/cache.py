"""Speech on the disk: fragments to be joined again, and prompts for Asterisk to play.

Every file is written beside its place and renamed into it, so a reader sees all of it or nothing. Whatever is read was
checked against its CRC-32; what does not fit (a full disk, a crash, a hand) counts as missing and is made again.
Asterisk, another user, may read everything.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bridge.speech.engine import Samples
from bridge.speech.phrase import Prompt

CRC_BYTES = 4


def digest(*shapes_the_sound: object) -> str:
    """A file's name: two prompts share it only if everything that shapes their sound is the same."""
    return hashlib.sha256(json.dumps(shapes_the_sound).encode()).hexdigest()


class Cache:
    """A folder of fragments and prompts by their digest. Blocking: call it from a thread. Writing raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def fragment(self, name: str, sample_rate: int) -> Samples | None:
        sealed = _read(self._fragment_path(name, sample_rate))
        if sealed is None or zlib.crc32(sealed[CRC_BYTES:]).to_bytes(CRC_BYTES, "little") != sealed[:CRC_BYTES]:
            return None
        return np.frombuffer(sealed, np.dtype("<i2"), offset=CRC_BYTES)

    def keep_fragment(self, name: str, sample_rate: int, samples: Samples) -> None:
        pcm = samples.astype("<i2").tobytes()
        _write(self._fragment_path(name, sample_rate), zlib.crc32(pcm).to_bytes(CRC_BYTES, "little") + pcm)

    def prompt(self, name: str, codecs: Sequence[str]) -> Prompt | None:
        stem = self._stem(name)
        about = _read(stem.with_suffix(".json"))
        if about is None:
            return None
        try:
            fields = json.loads(about)
            checks = [(codec, fields["crc32"][codec]) for codec in codecs]
            prompt = Prompt(stem, fields["seconds"], fields["engine"], fields["voice"], cached=True)
        except (ValueError, KeyError, TypeError):
            return None
        if any(_crc32(stem.with_suffix(f".{codec}")) != check for codec, check in checks):
            return None
        return prompt

    def keep_prompt(self, name: str, files: Mapping[str, bytes], *, seconds: float, engine: str, voice: str) -> Prompt:
        """``files`` is the audio by codec."""
        stem = self._stem(name)
        for codec, audio in files.items():
            _write(stem.with_suffix(f".{codec}"), audio)
        checks = {codec: zlib.crc32(audio) for codec, audio in files.items()}
        about = {"seconds": seconds, "engine": engine, "voice": voice, "crc32": checks}
        _write(stem.with_suffix(".json"), json.dumps(about).encode())
        return Prompt(stem, seconds, engine, voice, cached=False)

    def _fragment_path(self, name: str, sample_rate: int) -> Path:
        return self._folder / "fragments" / name[:2] / f"{name}.{sample_rate}"

    def _stem(self, name: str) -> Path:
        return self._folder / "prompts" / name[:2] / name


def _crc32(path: Path) -> int | None:
    data = _read(path)
    return None if data is None else zlib.crc32(data)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write(path: Path, data: bytes) -> None:
    _make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_bytes(data)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _make_folder(folder: Path) -> None:
    """With its parents, open to readers whatever the umask says."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
