"""Recordings and uploads go when their time is over; and what is on the disk agrees with what is in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bridge.messages.recording import Recording, RecordingState
from bridge.messages.upload import KEPT_UNUSED
from bridge.reports.recordings import RecordingFiles
from bridge.store import Store, StoreFailed

_EVERY_SECONDS = 3600.0
_GRACE = timedelta(hours=1)
"""How long a file may be without a row, and a recording without an end, before somebody looks into it."""
_AT_ONCE = 500

_log = structlog.get_logger(__name__)


class Retention:
    """Sweeps the recordings of one node, and the uploads that nobody uses.

    ``drop_upload`` removes the file of an upload.
    """

    def __init__(
        self,
        *,
        store: Store,
        files: RecordingFiles,
        drop_upload: Callable[[str], Awaitable[None]],
        node: str,
        keep: timedelta,
    ) -> None:
        self._store = store
        self._files = files
        self._drop_upload = drop_upload
        self._node = node
        self._keep = keep

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled."""
        while True:
            try:
                await self.sweep(datetime.now(UTC))
            except (StoreFailed, OSError) as error:
                _log.error("not_swept", reason=str(error))
            await asyncio.sleep(_EVERY_SECONDS)

    async def sweep(self, now: datetime) -> None:
        """Remove what is too old; settle what was left open; find what is lost; remove what belongs to no call."""
        await self._remove_expired(now)
        await self._settle_left_open(now)
        await self._find_lost()
        await self._remove_orphans(now)
        await self._drop_unused_uploads(now)

    async def _remove_expired(self, now: datetime) -> None:
        while expired := await self._store.expired_recordings(node=self._node, before=now - self._keep, limit=_AT_ONCE):
            await asyncio.to_thread(_remove, [self._files.path(recording) for recording in expired])
            for recording in expired:
                await self._store.finish_recording(replace(recording, state=RecordingState.DELETED))
            _log.info("recordings_deleted", count=len(expired))

    async def _settle_left_open(self, now: datetime) -> None:
        while left := await self._store.recordings_left_open(
            node=self._node, ended_before=now - _GRACE, limit=_AT_ONCE
        ):
            for recording, seconds in left:
                await self._store.finish_recording(await self._files.finished(recording, seconds))

    async def _find_lost(self) -> None:
        after = ""
        while some := await self._store.recordings_with_file(node=self._node, after=after, limit=_AT_ONCE):
            after = some[-1].id
            for recording in await asyncio.to_thread(self._without_file, some):
                await self._store.finish_recording(replace(recording, state=RecordingState.LOST))
                _log.error("recording_lost", recording=recording.id, attempt=recording.attempt_id)

    def _without_file(self, some: list[Recording]) -> list[Recording]:
        return [recording for recording in some if not self._files.path(recording).exists()]

    async def _remove_orphans(self, now: datetime) -> None:
        before = (now - _GRACE).timestamp()
        old = await asyncio.to_thread(_files_from_before, self._files.folder, before)
        for start in range(0, len(old), _AT_ONCE):
            some = old[start : start + _AT_ONCE]
            known = await self._store.known_recordings([path.stem for path in some])
            orphans = [path for path in some if path.stem not in known]
            await asyncio.to_thread(_remove, orphans)
            if orphans:
                _log.warning("orphaned_recordings_removed", count=len(orphans))

    async def _drop_unused_uploads(self, now: datetime) -> None:
        while unused := await self._store.unused_uploads(since=now - KEPT_UNUSED, limit=_AT_ONCE):
            for upload_id in unused:
                await self._drop_upload(upload_id)
                await self._store.remove_upload(upload_id)


def _files_from_before(folder: Path, before: float) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_file() and path.stat().st_mtime < before]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
