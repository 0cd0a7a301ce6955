"""The files of recordings: on the disk of the node that made the call, then in object storage, if there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bridge.base.objects import Objects, ObjectStorageFailed
from bridge.base.threads import FILES
from bridge.messages.recording import Recording, finished


class RecordingFiles:
    """The files of recordings, WAV of 16 bits at 8 kHz: written by Asterisk, read by whoever has their row.

    Without ``objects`` they stay where they were written. ``node`` is this node's name; None when it is the only one.
    """

    def __init__(self, folder: Path, *, node: str | None = None, objects: Objects | None = None) -> None:
        self.folder = folder
        self.objects = objects
        self._node = node

    def path(self, recording: Recording) -> Path:
        """The path of its file on this node's disk, whether it is there or not."""
        return self.folder / recording.file_name

    def is_elsewhere(self, recording: Recording) -> bool:
        """Whether its file is on the disk of another node."""
        return None not in (self._node, recording.node) and recording.node != self._node

    async def finished(self, recording: Recording, expected_seconds: float) -> Recording:
        """The recording with what its file says now that it is over; it should be ``expected_seconds`` long."""
        size = await FILES.run(file_size, self.path(recording))
        return finished(recording, size, expected_seconds)

    async def store(self, recording: Recording) -> int:
        """Copy its file into object storage; return its size in bytes. Raises OSError, ObjectStorageFailed."""
        assert self.objects is not None
        return await self.objects.put_file(_key(recording), self.path(recording))

    def stored(self, recording: Recording, part: range) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes ``part`` of its file, from object storage. Raises ObjectStorageFailed, ObjectNotThere."""
        if self.objects is None:
            raise ObjectStorageFailed("no object storage is set, but the recording is in one")
        return self.objects.reading(_key(recording), part)

    async def remove(self, recording: Recording) -> None:
        """Remove its file, here and from object storage. Raises OSError, ObjectStorageFailed."""
        await FILES.run(self.path(recording).unlink, missing_ok=True)
        if self.objects is not None:
            await self.objects.delete(_key(recording))


def file_size(path: Path) -> int | None:
    """In bytes; None when there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _key(recording: Recording) -> str:
    return f"recordings/{recording.file_name}"
