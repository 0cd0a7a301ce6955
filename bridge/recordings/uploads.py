"""Uploading: finished recordings go into object storage."""

from __future__ import annotations

import asyncio

import structlog
from structlog.contextvars import bound_contextvars

from bridge.base.backoff import Backoff, Waits, is_set_within
from bridge.base.objects import ObjectStorageFailed
from bridge.base.threads import FILES
from bridge.messages.recording import Recording
from bridge.recordings.files import RecordingFiles, file_size
from bridge.store import Recordings, StoreFailed

LOOK_EVERY_SECONDS = 60.0
STORAGE_AWAY = Waits(first=5.0, longest=300.0, jitter=0.5)
"""Waits between tries while the storage fails; jittered, since all nodes use it."""
_AT_ONCE = 4
_LOOKED_AT_ONCE = 100

_log = structlog.get_logger(__name__)


class RecordingUploads:
    """Carries the finished recordings of one node into object storage, and removes their files here.

    What is to be uploaded stands in the store, so that no restart forgets it. After a failure all wait: up to 5 s, then
    twice as long each time, up to 5 minutes.
    """

    def __init__(self, *, recordings: Recordings, files: RecordingFiles, node: str) -> None:
        self._recordings = recordings
        self._files = files
        self._node = node
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Look now: a recording may just have been finished."""
        self._wanted.set()

    async def run(self) -> None:
        """Upload what there is, whenever there is something, until cancelled."""
        backoff = Backoff(STORAGE_AWAY)
        while True:
            self._wanted.clear()
            try:
                await self.upload_all()
            except (ObjectStorageFailed, StoreFailed) as error:
                wait = backoff.failed()
                _log.warning("recordings_not_uploaded", reason=error, again_in_seconds=round(wait, 1))
                await asyncio.sleep(wait)
            else:
                backoff.reset()
                await is_set_within(self._wanted, LOOK_EVERY_SECONDS)

    async def upload_all(self) -> None:
        """Upload every finished recording that is on this node's disk. Raises ObjectStorageFailed, StoreFailed.

        A failure is raised at the end, or earlier when the other uploads of the same four fail as well.
        """
        after, failed = "", list[BaseException]()
        while some := await self._recordings.with_file(node=self._node, after=after, limit=_LOOKED_AT_ONCE):
            after = some[-1].id
            for start in range(0, len(some), _AT_ONCE):
                uploads = [self._upload(recording) for recording in some[start : start + _AT_ONCE]]
                failures = await asyncio.gather(*uploads, return_exceptions=True)
                failed += [failure for failure in failures if failure is not None]
                if None not in failures:
                    raise failed[0]
        if failed:
            raise failed[0]

    async def _upload(self, recording: Recording) -> None:
        with bound_contextvars(**recording.logged_as):
            try:
                await self._carry(recording)
            except OSError as error:  # about this file; one that is left behind goes with the next sweep
                _log.error("recording_not_uploaded", reason=error)

    async def _carry(self, recording: Recording) -> None:
        path = self._files.path(recording)
        try:
            size = await self._files.store(recording)
        except FileNotFoundError:
            if await self._recordings.lost(recording.id, self._node):
                _log.error("recording_lost")
            return
        if await FILES.run(file_size, path) != size:
            return  # Asterisk was still writing: the next round uploads all of it
        if await self._recordings.stored(recording.id):
            await FILES.run(path.unlink, missing_ok=True)
        else:
            await self._files.remove(recording)
