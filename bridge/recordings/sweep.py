"""Sweeping recordings: those whose time is over are removed, and disk and store are made to agree."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from bridge.base.removal import remove_all, remove_each
from bridge.base.threads import FILES
from bridge.messages.recording import Recording
from bridge.recordings.files import RecordingFiles
from bridge.store import Recordings

GRACE = timedelta(hours=1)
"""How long a file may be without a row, and a recording without an end, before the sweep sees to it."""
_AT_ONCE = 200

_log = structlog.get_logger(__name__)


class RecordingSweep:
    """Sweeps recordings: rows and objects of all nodes, files of this one. Its methods raise StoreFailed, OSError."""

    def __init__(self, *, recordings: Recordings, files: RecordingFiles, node: str) -> None:
        self._recordings = recordings
        self._files = files
        self._node = node

    async def remove_expired(self, before: datetime) -> None:
        """Remove recordings from before a moment. Raises ObjectStorageFailed.

        A file on the disk of another node is removed there, as an orphan.
        """
        if count := await remove_each(partial(self._expired, before), self._remove):
            _log.info("recordings_deleted", count=count)

    async def settle_left_open(self, now: datetime) -> None:
        """Find out what became of recordings that nobody finished although their call is over."""
        while left := await self._recordings.left_open(node=self._node, ended_before=now - GRACE, limit=_AT_ONCE):
            for recording, seconds in left:
                await self._recordings.finish(await self._files.finished(recording, seconds))

    async def find_lost(self) -> None:
        """Note the recordings whose file is gone from this node's disk."""
        after = ""
        while some := await self._recordings.with_file(node=self._node, after=after, limit=_AT_ONCE):
            after = some[-1].id
            for recording in await FILES.run(self._without_file, some):
                if await self._recordings.lost(recording.id, self._node):
                    _log.error("recording_lost", **recording.logged_as)

    async def remove_orphans(self, now: datetime) -> None:
        """Remove files that belong to no recording, or to one that was deleted or is in object storage."""
        old = await FILES.run(_files_from_before, self._files.folder, (now - GRACE).timestamp())
        for start in range(0, len(old), _AT_ONCE):
            some = old[start : start + _AT_ONCE]
            # The store cannot be asked for a name that is not valid text; those of recordings are ASCII.
            known = await self._recordings.known([path.stem for path in some if path.stem.isascii()])
            orphans = [path for path in some if path.stem not in known]
            if orphans:
                await FILES.run(remove_all, orphans)
                _log.warning("orphaned_recordings_removed", count=len(orphans))

    async def _expired(self, before: datetime, limit: int) -> list[Recording]:
        return await self._recordings.expired(before=before, limit=limit)

    async def _remove(self, recording: Recording) -> None:
        await self._files.remove(recording)
        await self._recordings.deleted(recording.id)

    def _without_file(self, some: list[Recording]) -> list[Recording]:
        return [recording for recording in some if not self._files.path(recording).exists()]


def _files_from_before(folder: Path, before: float) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_file() and path.stat().st_mtime < before]
