"""Recordings of one attempt: each has its row before its file is written, and its result afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bridge.base.threads import FILES
from bridge.messages.recording import HEADER_BYTES, Recording, RecordingState, new_recording
from bridge.recordings.files import RecordingFiles
from bridge.scripts import commands
from bridge.scripts.verbs.record import StartRecord
from bridge.store import Claim, Recordings
from bridge.store.persistence import until_stored

CLOSED_WITHIN_SECONDS = 3.0
LOOK_EVERY_SECONDS = 0.02

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Action:
    """What one verb records.

    ``began_at`` is None while it has not begun, ``seconds`` until the channel tells its length.
    """

    recording: Recording
    identifier: str | None
    began_at: datetime | None = None
    seconds: float | None = None

    def expected_seconds(self, ended_at: datetime) -> float:
        """How many seconds long it should be, when the call ended at ``ended_at``."""
        if self.seconds is not None or self.began_at is None:
            return self.seconds or 0.0
        return (ended_at - self.began_at).total_seconds()


class CallRecordings:
    """The recordings of one attempt. Its methods raise StoreFailed."""

    def __init__(self, recordings: Recordings, files: RecordingFiles, claim: Claim) -> None:
        self._recordings = recordings
        self._files = files
        self._claim = claim
        self._call: Recording | None = None
        self.actions: list[Action] = []

    def take_up(self, rows: Sequence[Recording], actions: list[Action]) -> list[Action]:
        """Go on with what another process began: the attempt's ``rows``, and what it knew of the ``actions``.

        Returns all actions. Recordings on the disk of another node are left to that node, and finished ones as they
        are.
        """
        unfinished = (row for row in rows if row.state is RecordingState.RECORDING)
        here = {row.id: row for row in unfinished if not self._files.is_elsewhere(row)}
        known = [action for action in actions if here.pop(action.recording.id, None)]
        self._call = next((row for row in here.values() if row.kind == "call"), None)
        self.actions = known + [Action(row, None) for row in here.values() if row.kind == "action"]
        return self.actions

    @property
    def of_call(self) -> Path | None:
        """The file into which the whole call is recorded, if it is."""
        return None if self._call is None else self._files.path(self._call)

    async def begin_call(self) -> bool:
        """Add the recording of the whole call, once the store takes it; False when the attempt is no longer ours."""
        recording = new_recording(self._claim.attempt.id, "call", datetime.now(UTC))
        if not await until_stored(lambda: self._begin(recording)):
            return False
        self._call = recording
        return True

    async def open_action(self, command: StartRecord) -> Path | None:
        """Add a recording for a verb of the script; return its file, or None when the attempt is over."""
        recording = new_recording(self._claim.attempt.id, "action", datetime.now(UTC), command.pointer)
        self.actions.append(Action(recording, command.identifier))  # also if the store's answer gets lost
        return self._files.path(recording) if await self._begin(recording) else None

    def action_began(self) -> None:
        """Note that the file that was opened last is being written from now on."""
        self.actions[-1].began_at = datetime.now(UTC)

    def being_written(self) -> Path | None:
        """The file that is being written for a verb; None when none is."""
        action = self.actions[-1] if self.actions else None
        if action is None or action.began_at is None or action.seconds is not None:
            return None
        return self._files.path(action.recording)

    async def seconds_written(self) -> float:
        """How long the file is that was opened last, which Asterisk has just closed."""
        return (await self._files.finished(self.actions[-1].recording, 0.0)).seconds or 0.0

    def action_ended(self, seconds: float) -> None:
        """Note that the file that was opened last is complete, and so many seconds long."""
        self.actions[-1].seconds = seconds

    def find(self, wanted: commands.RecordedAudio) -> Path | None:
        """The file of something that a verb has recorded on this call; None when there is no such recording."""
        ended = [action for action in self.actions if action.seconds]
        match wanted.reference:
            case None:
                found = ended[-1:]
            case int(index):
                found = ended[index : index + 1] if index >= 0 else []
            case str(identifier):
                found = [action for action in ended if action.identifier == identifier][-1:]
        return self._files.path(found[0].recording) if found else None

    async def finish(self, answered_at: datetime | None, ended_at: datetime) -> None:
        """Store what became of each recording, now that the call is over."""
        if self._call is not None and answered_at is not None:
            await self._finish(self._call, (ended_at - answered_at).total_seconds())
        elif self._call is not None:
            await self._recordings.forget(self._call.id)
        for action in self.actions:
            seconds = action.expected_seconds(ended_at)
            if seconds > 0:
                await self._finish(action.recording, seconds)
            else:
                await self._recordings.forget(action.recording.id)

    async def _begin(self, recording: Recording) -> bool:
        return await self._recordings.begin(self._claim.account, self._claim.key, recording)

    async def _finish(self, recording: Recording, expected_seconds: float) -> None:
        await _until_closed(self._files.path(recording))
        finished = await self._files.finished(recording, expected_seconds)
        if await self._recordings.finish(finished) and finished.state is not RecordingState.AVAILABLE:
            _log.error(
                "recording_not_whole", recording=recording.id, attempt=recording.attempt_id, state=finished.state
            )


async def _until_closed(path: Path) -> None:
    """Wait until Asterisk has closed a WAV file, which it does soon after the hangup: only then is its length in it."""
    deadline = time.monotonic() + CLOSED_WITHIN_SECONDS
    while time.monotonic() < deadline and not await FILES.run(_is_closed, path):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _is_closed(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return False
    return int.from_bytes(header[-4:], "little") == path.stat().st_size - HEADER_BYTES > 0
