"""What is on the disk agrees with what is in the store, and goes when its time is over."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.messages.recording import RecordingState, new_recording
from bridge.recordings.files import RecordingFiles
from bridge.recordings.sweep import RecordingSweep
from bridge.store import Store
from bridge.store.engine import open_engine
from bridge.store.migrations import migrate
from tests.recorded import HOUR, NOW, begun, call, end, found, recorded, state, write

KEEP = timedelta(days=60)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path / "recordings")


class Sweeping:
    """The hourly sweep of one node's recordings."""

    def __init__(self, store: Store, files: RecordingFiles, node: str = "here") -> None:
        self._recordings = RecordingSweep(recordings=store.recordings, files=files, node=node)

    async def sweep(self, now: datetime) -> None:
        await self._recordings.settle_left_open(now)
        await self._recordings.remove_expired(now - KEEP)
        await self._recordings.find_lost()
        await self._recordings.remove_orphans(now)


async def test_a_recording_goes_when_its_time_is_over_and_not_before(store: Store, files: RecordingFiles) -> None:
    recording = await recorded(store, files)
    await Sweeping(store, files).sweep(NOW + KEEP)
    assert files.path(recording).exists()
    assert await state(store, recording) == RecordingState.AVAILABLE
    await Sweeping(store, files).sweep(NOW + KEEP + timedelta(seconds=1))
    assert not files.path(recording).exists()
    assert await state(store, recording) == RecordingState.DELETED
    (attempt,) = await store.messages.attempts("acme", "m1")
    assert attempt.recordings[0].seconds == 10


async def test_a_recording_whose_file_is_gone_is_lost(store: Store, files: RecordingFiles) -> None:
    gone, there = await recorded(store, files, "m1"), await recorded(store, files, "m2")
    files.path(gone).unlink()
    with capture_logs() as logs:
        await Sweeping(store, files).sweep(NOW)
    (line,) = [line for line in logs if line["event"] == "recording_lost"]
    assert (line["recording"], line["attempt"], line["message"]) == (gone.id, gone.attempt_id, "m1")
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
    await Sweeping(store, files).sweep(NOW + 10 * HOUR)
    assert await state(store, recording) == RecordingState.RECORDING, "the call goes on"
    await end(store, claim)
    await Sweeping(store, files).sweep(NOW + HOUR + timedelta(seconds=11))
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
    await Sweeping(store, files).sweep(NOW + HOUR)
    assert stray.exists()
    await Sweeping(store, files).sweep(NOW + HOUR + timedelta(seconds=1))
    assert sorted(path.name for path in files.folder.iterdir()) == sorted((mine.file_name, live.file_name))


async def test_a_node_judges_its_own_files_only(store: Store, files: RecordingFiles) -> None:
    theirs = await recorded(store, files, node="elsewhere")
    await Sweeping(store, files).sweep(NOW + 2 * HOUR)
    assert files.path(theirs).exists(), "it belongs to a call, if not to one of this node"
    files.path(theirs).unlink()
    await Sweeping(store, files).sweep(NOW + 2 * HOUR)
    assert await state(store, theirs) == RecordingState.AVAILABLE
    await Sweeping(store, files, "elsewhere").sweep(NOW)
    assert await state(store, theirs) == RecordingState.LOST


async def test_a_node_that_was_away_drops_what_another_has_found_too_old(
    store: Store, files: RecordingFiles, tmp_path: Path
) -> None:
    theirs = await recorded(store, files, node="elsewhere")
    await Sweeping(store, RecordingFiles(tmp_path / "here")).sweep(NOW + KEEP + HOUR)
    assert await state(store, theirs) == RecordingState.DELETED
    assert files.path(theirs).exists()
    await Sweeping(store, files, "elsewhere").sweep(NOW + KEEP + HOUR)
    assert not files.path(theirs).exists()


async def test_more_recordings_than_are_looked_at_at_once_are_all_swept(store: Store, files: RecordingFiles) -> None:
    claim = await call(store)
    for _ in range(1_100):
        await store.recordings.begin("acme", claim.key, recording := new_recording(claim.attempt.id, "action", NOW))
        write(files, recording, 0.01)
        await store.recordings.finish(await files.finished(recording, 0.01))
    await Sweeping(store, files).sweep(NOW + 2 * HOUR)
    assert len(list(files.folder.iterdir())) == 1_100
    await Sweeping(store, files).sweep(NOW + KEEP + HOUR)
    assert list(files.folder.iterdir()) == []


async def test_before_the_first_recording_there_is_no_folder(store: Store, tmp_path: Path) -> None:
    await Sweeping(store, RecordingFiles(tmp_path / "nothing")).sweep(NOW)


async def test_a_recording_of_a_former_version_is_on_the_disk_of_the_node_that_made_the_call(
    database_url: str, files: RecordingFiles
) -> None:
    store = Store(database_url)
    recording = await recorded(store, files, node="elsewhere")
    await store.close()
    engine = open_engine(database_url)
    migrate(engine, "0005")
    engine.dispose()
    store = Store(database_url)
    assert (await found(store, recording)).node == "elsewhere"
    await Sweeping(store, files, "elsewhere").sweep(NOW + KEEP + HOUR)
    assert not files.path(recording).exists()
    await store.close()
