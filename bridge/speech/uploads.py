"""Audio files that applications left with us, to be played later."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from bridge.speech.errors import UploadUnknown
from bridge.speech.files import read, write

ID = re.compile(r"[0-9A-F]{32}")
OURS_ALONE = 0o600
"""Asterisk plays what is made of it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """``format`` is ``wav`` or ``mp3``; ``seconds`` is how long it plays."""

    id: str
    format: str
    seconds: float


class Uploads:
    """A folder of files by their id: 32 upper-case hexadecimal digits. Blocking: call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, data: bytes) -> str:
        """Its new id. Raises OSError."""
        upload_id = secrets.token_hex(16).upper()
        write(self._folder / upload_id, data, mode=OURS_ALONE)
        return upload_id

    def read(self, upload_id: str) -> bytes:
        """Raises UploadUnknown."""
        data = read(self._path(upload_id))
        if data is None:
            raise UploadUnknown("there is no upload with that id")
        return data

    def drop(self, upload_id: str) -> None:
        """Raises UploadUnknown only for what can be no id."""
        self._path(upload_id).unlink(missing_ok=True)

    def _path(self, upload_id: str) -> Path:
        if not ID.fullmatch(upload_id):
            raise UploadUnknown("there is no upload with that id")
        return self._folder / upload_id
