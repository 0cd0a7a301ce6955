"""What is on the disk agrees with what is in the store, and goes when its time is over."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.messages.message import Bulk, Content, Message
from bridge.messages.recording import Recording, RecordingState, new_recording
from bridge.reports.recordings import RecordingFiles
from bridge.reports.retention import Retention
from bridge.store import Claim, Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEEP = timedelta(days=60)
HOUR = timedelta(hours=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    yield store
    await store.close()


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    (tmp_path / "recordings").mkdir()
    return RecordingFiles(tmp_path / "recordings")


def retention(store: Store, files: RecordingFiles, node: str = "here") -> Retention:
    async def drop_upload(upload_id: str) -> None:
        raise AssertionError(f"{upload_id} is not to be dropped")

    return Retention(store=store, files=files, drop_upload=drop_upload, node=node, keep=KEEP)


async def call(store: Store, name: str = "m1", node: str = "here") -> Claim:
    message = Message(name, "41793026727", None, Content(text="Hello", record=True), NOW, NOW + HOUR)
    await store.accept(Bulk(f"bulk-of-{name}", "acme", NOW, [message]))
    (claim,) = await store.claim_due(node=node, trunk="trunk", now=NOW, limit=1)
    return claim


async def end(store: Store, claim: Claim, seconds: float = 10) -> None:
    ended_at = NOW + timedelta(seconds=seconds)
    attempt = replace(claim.attempt, answered_at=NOW, ended_at=ended_at, status_id=5, error_id=5000)
    await store.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=ended_at)


def write(files: RecordingFiles, recording: Recording, seconds: float = 10, at: datetime = NOW) -> Path:
    path = files.path(recording)
    path.write_bytes(bytes(44 + round(seconds * 16_000)))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


async def begun(store: Store, claim: Claim) -> Recording:
    recording = new_recording(claim.attempt.id, "call", NOW)
    await store.begin_recording("acme", claim.key, recording)
    return recording


async def recorded(store: Store, files: RecordingFiles, name: str = "m1", node: str = "here") -> Recording:
    """A call that is over, and its recording."""
    claim = await call(store, name, node)
    recording = await begun(store, claim)
    write(files, recording)
    recording = await files.finished(recording, 10)
    await store.finish_recording(recording)
    await end(store, claim)
    return recording


async def state(store: Store, recording: Recording) -> RecordingState:
    found = await store.recording("acme", recording.id)
    assert found is not None
    return found.state


async def test_a_recording_goes_when_its_time_is_over_and_not_before(store: Store, files: RecordingFiles) -> None:
    recording = await recorded(store, files)
    await retention(store, files).sweep(NOW + KEEP)
    assert files.path(recording).exists()
    assert await state(store, recording) == RecordingState.AVAILABLE
    await retention(store, files).sweep(NOW + KEEP + timedelta(seconds=1))
    assert not files.path(recording).exists()
    assert await state(store, recording) == RecordingState.DELETED
    (attempt,) = await store.attempts("acme", "m1")
    assert attempt.recordings[0].seconds == 10


async def test_a_recording_whose_file_is_gone_is_lost(store: Store, files: RecordingFiles) -> None:
    gone, there = await recorded(store, files, "m1"), await recorded(store, files, "m2")
    files.path(gone).unlink()
    await retention(store, files).sweep(NOW)
    assert await state(store, gone) == RecordingState.LOST
    assert await state(store, there) == RecordingState.AVAILABLE


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(10, RecordingState.AVAILABLE), (4, RecordingState.SHORT), (None, RecordingState.LOST)],
)
async def test_a_recording_that_nobody_finished_is_settled_after_its_call(
    store: Store, files: RecordingFiles, seconds: float | None, expected: RecordingState
) -> None:
    claim = await call(store)
    recording = await begun(store, claim)
    if seconds is not None:
        write(files, recording, seconds)
    await retention(store, files).sweep(NOW + 10 * HOUR)
    assert await state(store, recording) == RecordingState.RECORDING, "the call goes on"
    await end(store, claim)
    await retention(store, files).sweep(NOW + HOUR + timedelta(seconds=11))
    assert await state(store, recording) == expected
    if seconds is not None:
        assert files.path(recording).exists()


async def test_a_file_that_belongs_to_no_call_is_removed_after_an_hour(store: Store, files: RecordingFiles) -> None:
    mine = await recorded(store, files)
    live = await begun(store, await call(store, "m2"))
    write(files, live)
    stray = files.folder / "stray.wav"
    stray.write_bytes(b"RIFF")
    os.utime(stray, (NOW.timestamp(), NOW.timestamp()))
    await retention(store, files).sweep(NOW + HOUR)
    assert stray.exists()
    await retention(store, files).sweep(NOW + HOUR + timedelta(seconds=1))
    assert sorted(path.name for path in files.folder.iterdir()) == sorted((mine.file_name, live.file_name))


async def test_a_node_judges_its_own_calls_only(store: Store, files: RecordingFiles) -> None:
    theirs = await recorded(store, files, node="elsewhere")
    await retention(store, files).sweep(NOW + 2 * HOUR)
    assert files.path(theirs).exists(), "it belongs to a call, if not to one of this node"
    files.path(theirs).unlink()
    await retention(store, files).sweep(NOW + KEEP + HOUR)
    assert await state(store, theirs) == RecordingState.AVAILABLE
    await retention(store, files, "elsewhere").sweep(NOW)
    assert await state(store, theirs) == RecordingState.LOST


async def test_more_recordings_than_are_looked_at_at_once_are_all_swept(store: Store, files: RecordingFiles) -> None:
    claim = await call(store)
    for _ in range(1_100):
        await store.begin_recording("acme", claim.key, recording := new_recording(claim.attempt.id, "action", NOW))
        write(files, recording, 0.01)
        await store.finish_recording(await files.finished(recording, 0.01))
    await retention(store, files).sweep(NOW + 2 * HOUR)
    assert len(list(files.folder.iterdir())) == 1_100
    await retention(store, files).sweep(NOW + KEEP + HOUR)
    assert list(files.folder.iterdir()) == []


async def test_before_the_first_recording_there_is_no_folder(store: Store, tmp_path: Path) -> None:
    await retention(store, RecordingFiles(tmp_path / "nothing")).sweep(NOW)
