"""A recording is begun once and finished once, whoever else sees to its attempt and whatever answers get lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.messages.recording import RecordingState
from bridge.recordings.files import RecordingFiles
from bridge.recordings.of_call import CallRecordings
from bridge.scripts.verbs.record import StartRecord
from bridge.store import CommitUnknown, Store
from tests.recorded import NOW, begun, call, end, found, recorded, write

TEN_SECONDS = timedelta(seconds=10)
VERB = StartRecord(
    id=1, pointer="#/script/0", identifier=None, beep=False, stop_keys="", max_seconds=30, max_silence=None
)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path / "recordings")


def lose_the_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next recording is begun, and nobody hears of it."""
    begin = store.recordings.begin

    async def begin_in_vain(*what: object) -> bool:
        monkeypatch.undo()
        await begin(*what)  # type: ignore[arg-type]
        raise CommitUnknown("the database went away in the middle of a commit")

    monkeypatch.setattr(store.recordings, "begin", begin_in_vain)


async def test_a_call_is_recorded_once_when_the_answer_of_the_store_was_lost(
    store: Store, files: RecordingFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = CallRecordings(store.recordings, files, claim := await call(store))
    lose_the_answer(store, monkeypatch)
    assert await recordings.begin_call()
    (attempt,) = await store.messages.attempts("acme", claim.message.id)
    (recording,) = attempt.recordings
    assert recordings.of_call == files.path(recording)


async def test_a_verb_that_could_not_record_leaves_no_recording(
    store: Store, files: RecordingFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = CallRecordings(store.recordings, files, claim := await call(store))
    lose_the_answer(store, monkeypatch)
    with pytest.raises(CommitUnknown):
        await recordings.open_action(VERB)
    await recordings.finish(NOW, NOW + TEN_SECONDS)
    (attempt,) = await store.messages.attempts("acme", claim.message.id)
    assert attempt.recordings == []


async def test_nothing_is_recorded_on_an_attempt_that_was_given_back(store: Store, files: RecordingFiles) -> None:
    recordings = CallRecordings(store.recordings, files, claim := await call(store))
    assert await store.calls.release(claim.key, claim.attempt.id)
    assert not await recordings.begin_call()
    assert await recordings.open_action(VERB) is None
    assert recordings.of_call is None
    await recordings.finish(NOW, NOW + TEN_SECONDS)


async def test_nothing_is_recorded_on_an_attempt_that_is_over(store: Store, files: RecordingFiles) -> None:
    recordings = CallRecordings(store.recordings, files, claim := await call(store))
    await end(store, claim)
    assert not await recordings.begin_call()
    (attempt,) = await store.messages.attempts("acme", claim.message.id)
    assert attempt.recordings == []


async def test_what_is_finished_is_not_finished_again_by_a_process_that_finds_no_file(
    store: Store, files: RecordingFiles
) -> None:
    """It was uploaded meanwhile, and removed from the disk."""
    recording = await begun(store, await call(store))
    write(files, recording)
    whole = await files.finished(recording, 10)
    assert await store.recordings.finish(whole)
    assert await store.recordings.stored(recording.id)
    files.path(recording).unlink()
    assert not await store.recordings.finish(await files.finished(recording, 10))
    await store.recordings.forget(recording.id)
    kept = await found(store, recording)
    assert (kept.state, kept.seconds, kept.node) == (RecordingState.AVAILABLE, 10, None)


async def test_what_is_finished_is_not_taken_up(store: Store, files: RecordingFiles) -> None:
    whole = await recorded(store, files)
    live = await begun(store, claim := await call(store, "m2"))
    recordings = CallRecordings(store.recordings, files, claim)
    recordings.take_up([whole], [])
    assert recordings.of_call is None
    recordings.take_up([whole, live], [])
    assert recordings.of_call == files.path(live)
