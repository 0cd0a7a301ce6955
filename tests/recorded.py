"""Calls and their recordings, made in the store and on the disk without a telephone."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.messages.message import Bulk, Content, Message
from bridge.messages.recording import Recording, RecordingState, new_recording
from bridge.recordings.files import RecordingFiles
from bridge.store import Claim, Store
from tests.claims import claim

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOST_ON_A_BUSY_MACHINE = 0.5
"""Seconds that may miss from what Asterisk records of a telephone, when one of them gets no processor in time."""


async def call(store: Store, name: str = "m1", node: str = "here") -> Claim:
    """A call that goes on."""
    message = Message(name, "41793026727", None, Content(text="Hello", record=True), NOW, NOW + HOUR)
    await store.messages.accept(Bulk(f"bulk-of-{name}", "acme", NOW, [message]))
    (claimed,) = await claim(store, NOW, node=node, limit=1)
    return claimed


async def end(store: Store, claimed: Claim, seconds: float = 10) -> None:
    ended_at = NOW + timedelta(seconds=seconds)
    attempt = replace(claimed.attempt, answered_at=NOW, ended_at=ended_at, status_id=5, error_id=5000)
    assert await store.calls.finish(claimed.key, attempt, status_id=5, error_id=5000, done_at=ended_at)


def write(files: RecordingFiles, recording: Recording, seconds: float = 10, at: datetime = NOW) -> Path:
    """What Asterisk writes, last changed ``at``."""
    files.folder.mkdir(exist_ok=True)
    path = files.path(recording)
    path.write_bytes(bytes(n * 7 % 256 for n in range(44 + round(seconds * 16_000))))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


async def begun(store: Store, claimed: Claim) -> Recording:
    recording = new_recording(claimed.attempt.id, "call", NOW)
    await store.recordings.begin("acme", claimed.key, recording)
    return recording


async def recorded(
    store: Store, files: RecordingFiles, name: str = "m1", node: str = "here", seconds: float = 10
) -> Recording:
    """A call that is over, and its recording."""
    claimed = await call(store, name, node)
    recording = await begun(store, claimed)
    write(files, recording, seconds)
    await store.recordings.finish(await files.finished(recording, seconds))
    await end(store, claimed, seconds)
    return await found(store, recording)


async def found(store: Store, recording: Recording) -> Recording:
    """The recording as the store has it now."""
    kept = await store.recordings.find("acme", recording.id)
    assert kept is not None
    return kept


async def state(store: Store, recording: Recording) -> RecordingState:
    return (await found(store, recording)).state
