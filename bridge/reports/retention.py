"""Retention: what was kept long enough is removed, a little at a time, so that no call waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bridge.base.errors import VoicebridgeError
from bridge.base.removal import remove_each
from bridge.messages.upload import KEPT_UNUSED
from bridge.recordings.files import RecordingFiles
from bridge.recordings.sweep import GRACE, RecordingSweep
from bridge.reports.cdr_files import CdrFiles
from bridge.speech.speech import Speech
from bridge.store import Store

JOURNAL_KEPT = timedelta(days=7)
_EVERY_SECONDS = 3600.0
_AT_ONCE = 100
_PAUSE_SECONDS = 0.1

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things are kept: messages from their end on, recordings from their beginning; speech in bytes.

    A recording is removed with its message at the latest.
    """

    messages: timedelta
    recordings: timedelta
    cdr_files: timedelta
    speech_bytes: int


class Retention:
    """Sweeps the rows and objects of all nodes, at one node at a time, and the files of this node.

    ``sweep_journal`` removes the journal's days before that of a moment.
    """

    def __init__(
        self,
        *,
        store: Store,
        recordings: RecordingFiles,
        speech: Speech,
        cdr_files: CdrFiles,
        sweep_journal: Callable[[datetime], Awaitable[None]],
        node: str,
        limits: Limits,
    ) -> None:
        self._store = store
        self._recordings = RecordingSweep(recordings=store.recordings, files=recordings, node=node)
        self._speech = speech
        self._cdr_files = cdr_files
        self._sweep_journal = sweep_journal
        self._node = node
        self._limits = limits

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled. Raises what `sweep` does."""
        while True:
            await self.sweep(datetime.now(UTC))
            await asyncio.sleep(_EVERY_SECONDS)

    async def sweep(self, now: datetime) -> None:
        """Sweep everything; what fails is tried again the next time, and nothing else waits for it.

        Failures that can be expected (VoicebridgeError, OSError) are logged; any other is raised at the end.
        """
        limits, recordings = self._limits, self._recordings
        faults = [
            await _fault_of(recordings.settle_left_open(now)),
            await _fault_of(recordings.remove_expired(now - min(limits.recordings, limits.messages))),
            await _fault_of(recordings.find_lost()),
            await _fault_of(recordings.remove_orphans(now)),
            await _fault_of(self._remove_messages(now - limits.messages)),
            await _fault_of(self._drop_unused_uploads(now)),
            await _fault_of(self._drop_orphaned_uploads(now)),
            await _fault_of(self._cdr_files.sweep(now - limits.cdr_files)),
            await _fault_of(self._sweep_journal_up_to(now - JOURNAL_KEPT)),
            await _fault_of(self._sweep_speech()),
        ]
        for fault in faults:
            if fault is not None:
                raise fault

    async def _remove_messages(self, done_before: datetime) -> None:
        count = 0
        while removed := await self._store.messages.remove(done_before=done_before, limit=_AT_ONCE):
            count += removed
            await asyncio.sleep(_PAUSE_SECONDS)
        if count:
            _log.info("messages_removed", count=count)

    async def _drop_unused_uploads(self, now: datetime) -> None:
        async def unused(limit: int) -> list[str]:
            return await self._store.uploads.unused(since=now - KEPT_UNUSED, limit=limit)

        async def drop(upload_id: str) -> None:
            await self._speech.drop_upload(upload_id)
            await self._store.uploads.remove(upload_id)

        await remove_each(unused, drop)

    async def _drop_orphaned_uploads(self, now: datetime) -> None:
        """Drop the uploads that are on this disk although another node has dropped them."""
        old = await self._speech.uploads_from_before(now - GRACE)
        for start in range(0, len(old), _AT_ONCE):
            some = old[start : start + _AT_ONCE]
            for upload_id in set(some) - await self._store.uploads.known(some):
                await self._speech.drop_upload(upload_id)

    async def _sweep_journal_up_to(self, before: datetime) -> None:
        """Sweep the journal, but keep the days of open attempts, whose end still has to be read there."""
        begun = [left.claim.attempt.dialled_at for left in await self._store.calls.open_of(self._node)]
        await self._sweep_journal(min([before, *begun]))

    async def _sweep_speech(self) -> None:
        freed = await self._speech.sweep(self._limits.speech_bytes)
        if freed:
            _log.info("speech_swept", bytes=freed)


async def _fault_of(step: Awaitable[None]) -> Exception | None:
    """Await a step; return what it failed with, unless that can be expected and is only logged."""
    try:
        await step
    except (VoicebridgeError, OSError) as error:
        _log.error("not_swept", reason=error)
    except Exception as error:
        return error
    return None
