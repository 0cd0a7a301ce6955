"""Uploads: audio files that applications left here, to be played later."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bridge.base.objects import ObjectNotThere, Objects, ObjectStorageFailed
from bridge.base.threads import Threads
from bridge.speech.cache.files import read, write
from bridge.speech.errors import SpeechError, UploadUnknown, storing

ID = re.compile(r"[0-9A-F]{32}")
OURS_ALONE = 0o600
"""Only the daemon reads an upload; Asterisk plays the prompts that are made of it."""
FETCH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An upload: ``format`` is ``wav`` or ``mp3``; ``seconds`` is how long it plays."""

    id: str
    format: str
    seconds: float


def new_id() -> str:
    """A random id: 32 upper-case hexadecimal digits."""
    return secrets.token_hex(16).upper()


class UploadFiles:
    """A folder of files by their id. With ``objects`` nodes share them: each fetches what its folder lacks."""

    def __init__(self, folder: Path, threads: Threads, objects: Objects | None) -> None:
        self._folder = folder
        self._threads = threads
        self._objects = objects

    async def keep(self, upload_id: str, data: bytes) -> None:
        """Keep a file, here and in object storage. Raises SpeechNotStoredError, ObjectStorageFailed."""
        if self._objects is not None:
            await self._objects.put(_key(upload_id), data)
        await self._write(upload_id, data)

    async def read(self, upload_id: str) -> bytes:
        """The bytes of an upload. Raises UploadUnknown; SpeechError when object storage or the disk fails."""
        data = await self._threads.run(read, self._path(upload_id))
        if data is not None:
            return data
        data = await self._fetched(upload_id)
        await self._write(upload_id, data)
        return data

    async def drop(self, upload_id: str) -> None:
        """Remove an upload, if it is there. Raises ObjectStorageFailed; UploadUnknown for what cannot be an id."""
        await self._threads.run(self._path(upload_id).unlink, missing_ok=True)
        if self._objects is not None:
            await self._objects.delete(_key(upload_id))

    async def from_before(self, moment: datetime) -> list[str]:
        """The ids of uploads that were written to this disk before ``moment``."""
        return await self._threads.run(self._older, moment.timestamp())

    async def _write(self, upload_id: str, data: bytes) -> None:
        with storing():
            await self._threads.run(write, self._path(upload_id), data, mode=OURS_ALONE)

    async def _fetched(self, upload_id: str) -> bytes:
        if self._objects is None:
            raise _unknown()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._objects.get(_key(upload_id))
        except ObjectNotThere:
            raise _unknown() from None
        except (ObjectStorageFailed, TimeoutError) as error:
            raise SpeechError(f"the upload is in object storage, which fails: {error}") from error

    def _older(self, before: float) -> list[str]:
        uploads = (path for path in self._folder.glob("*") if ID.fullmatch(path.name) and path.is_file())
        return [path.name for path in uploads if path.stat().st_mtime < before]

    def _path(self, upload_id: str) -> Path:
        if not ID.fullmatch(upload_id):
            raise _unknown()
        return self._folder / upload_id


def _key(upload_id: str) -> str:
    return f"uploads/{upload_id}"


def _unknown() -> UploadUnknown:
    return UploadUnknown("there is no upload with that id")
