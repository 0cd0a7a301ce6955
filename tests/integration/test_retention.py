"""What is old goes, all of it, and nothing else does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from bridge.asterisk.journal import Journal
from bridge.base.removal import remove_each
from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.messages.recording import RecordingState
from bridge.messages.upload import KEPT_UNUSED, Upload
from bridge.recordings.files import RecordingFiles
from bridge.reports.cdr_files import CdrFiles
from bridge.reports.retention import Limits, Retention
from bridge.speech.cache.cache import IN_USE_SECONDS
from bridge.speech.engine_registry import build_engines
from bridge.speech.phrase import Phrase
from bridge.speech.speech import Speech
from bridge.store import Store
from bridge.store.tables import metadata
from tests.claims import claim
from tests.recorded import HOUR, NOW, found, recorded

DAY = timedelta(days=1)
LIMITS = Limits(messages=90 * DAY, recordings=60 * DAY, cdr_files=365 * DAY, speech_bytes=0)
ROWS = ("bulks", "contents", "messages", "attempts", "reports", "outbox", "recordings")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[Speech]:
    speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    await speech.start()
    yield speech
    await speech.close()


def retention(store: Store, speech: Speech, folder: Path) -> Retention:
    return Retention(
        store=store,
        recordings=RecordingFiles(folder / "recordings"),
        speech=speech,
        cdr_files=CdrFiles(folder / "cdr"),
        sweep_journal=Journal(folder / "journal").sweep,
        node="here",
        limits=LIMITS,
    )


async def rows(store: Store) -> dict[str, int]:
    """How many rows each table has."""

    def count(connection: Connection) -> dict[str, int]:
        return {
            name: connection.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
            for name in ROWS
        }

    return await store._database.read(count)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def sent(store: Store, name: str, count: int, at: datetime, *contents: Content) -> None:
    messages = [
        Message(f"{name}-{number}", "41793026727", None, contents[number % len(contents)], at, at + HOUR)
        for number in range(count)
    ]
    await store.messages.accept(Bulk(name, "acme", at, messages))


async def called(store: Store, at: datetime, limit: int = 1000) -> None:
    for claimed in await claim(store, at, limit=limit):
        ended = replace(claimed.attempt, ended_at=at, status_id=5, error_id=5000)
        assert await store.calls.finish(claimed.key, ended, status_id=5, error_id=5000, done_at=at)


async def test_a_message_goes_with_all_that_belongs_to_it_when_its_time_is_over(store: Store) -> None:
    pushed = Content(text="Pushed", notify=Notify("http://127.0.0.1/", "application/json"))
    await sent(store, "old", 300, NOW, Content(text="Hello"), pushed)
    await called(store, NOW)
    full = await rows(store)
    assert (full["messages"], full["contents"], full["outbox"]) == (300, 2, 150)
    assert await store.messages.remove(done_before=NOW, limit=200) == 0
    assert await rows(store) == full
    assert await store.messages.remove(done_before=NOW + HOUR, limit=200) == 200
    assert (await rows(store))["contents"] == 2
    assert await store.messages.remove(done_before=NOW + HOUR, limit=200) == 100
    assert set((await rows(store)).values()) == {0}
    assert await store.reports.take("acme") == []


async def test_what_is_not_over_stays_and_so_does_what_it_shares(store: Store) -> None:
    await sent(store, "bulk", 10, NOW, Content(text="Hello"))
    await called(store, NOW, limit=4)
    under_way = await claim(store, NOW, limit=1)
    assert await store.messages.remove(done_before=NOW + HOUR, limit=200) == 4
    left = await rows(store)
    assert (left["messages"], left["attempts"], left["contents"], left["bulks"]) == (6, 1, 1, 1)
    assert len(await claim(store, NOW)) == 5
    ended = replace(under_way[0].attempt, ended_at=NOW, status_id=5, error_id=5000)
    assert await store.calls.finish(under_way[0].key, ended, status_id=5, error_id=5000, done_at=NOW)


async def test_a_message_stays_as_long_as_its_recording(store: Store, tmp_path: Path, speech: Speech) -> None:
    files = RecordingFiles(tmp_path / "recordings")
    recording = await recorded(store, files)
    assert await store.messages.remove(done_before=NOW + HOUR, limit=200) == 0
    sweep = retention(store, speech, tmp_path).sweep
    await sweep(NOW + 59 * DAY)
    assert files.path(recording).exists()
    await sweep(NOW + 61 * DAY)
    assert not files.path(recording).exists()
    assert (await found(store, recording)).state == RecordingState.DELETED
    await sweep(NOW + 91 * DAY)
    assert set((await rows(store)).values()) == {0}


async def test_files_go_when_their_time_is_over(store: Store, tmp_path: Path, speech: Speech) -> None:
    cdr, journal = tmp_path / "cdr", tmp_path / "journal"
    for folder, names in (
        (cdr, ("cdr-2025-11-22.csv", "cdr-2025-11-23.csv", "cdr-2026-11-23.csv", "notes.txt")),
        (journal, ("2026-11-15-asterisk_5038.log", "2026-11-16-asterisk_5038.log", "2026-11-23-asterisk_5038.log")),
    ):
        folder.mkdir()
        for name in names:
            (folder / name).write_text("x")
    old = await speech.prepare(Phrase("old"))
    long_ago = datetime.now(UTC).timestamp() - IN_USE_SECONDS - 1
    for path in files_below(tmp_path):
        os.utime(path, (long_ago, long_ago))
    used = await speech.prepare(Phrase("used"))
    await retention(store, speech, tmp_path).sweep(NOW)
    assert sorted(path.name for path in cdr.iterdir()) == ["cdr-2025-11-23.csv", "cdr-2026-11-23.csv", "notes.txt"]
    assert sorted(path.name for path in journal.iterdir()) == [
        "2026-11-16-asterisk_5038.log",
        "2026-11-23-asterisk_5038.log",
    ]
    assert not old.stem.with_suffix(".ulaw").exists()
    assert used.stem.with_suffix(".ulaw").exists()


async def test_the_journal_of_a_call_that_is_not_settled_stays(store: Store, tmp_path: Path, speech: Speech) -> None:
    (tmp_path / "journal").mkdir()
    for day in range(20, 24):
        (tmp_path / "journal" / f"2026-11-{day}-asterisk_5038.log").write_text("x")
    await sent(store, "bulk", 1, NOW - DAY, Content(text="Hello"))
    await claim(store, NOW - DAY)
    await retention(store, speech, tmp_path).sweep(NOW + 30 * DAY)
    assert sorted(path.stem[:10] for path in (tmp_path / "journal").iterdir()) == ["2026-11-22", "2026-11-23"]


async def test_an_upload_that_nobody_uses_goes_at_every_node(store: Store, tmp_path: Path, speech: Speech) -> None:
    uploads = tmp_path / "speech" / "uploads"
    uploads.mkdir(parents=True)
    names = {
        state: f"{number:032X}" for number, state in enumerate(("used", "unused", "dropped elsewhere", "just come"))
    }
    for state, name in names.items():
        (uploads / name).write_bytes(b"RIFF")
        age = NOW if state == "just come" else NOW - 2 * HOUR
        os.utime(uploads / name, (age.timestamp(),) * 2)
    for state, last in (("used", NOW), ("unused", NOW - KEPT_UNUSED - DAY)):
        await store.uploads.add("acme", Upload(names[state], "a.wav", "wav", 4, 1.0, last, last))
    await retention(store, speech, tmp_path).sweep(NOW)
    assert {path.name for path in uploads.iterdir()} == {names["used"], names["just come"]}
    assert await store.uploads.count("acme") == 1


async def test_what_fails_holds_up_nothing_else(store: Store, tmp_path: Path, speech: Speech) -> None:
    (tmp_path / "cdr").mkdir()
    (tmp_path / "cdr" / "cdr-2020-01-01.csv").mkdir()
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "2020-01-01-asterisk_5038.log").write_text("x")
    await retention(store, speech, tmp_path).sweep(NOW)
    assert list((tmp_path / "journal").iterdir()) == []


async def test_what_cannot_be_removed_holds_up_nothing_beside_it(store: Store, tmp_path: Path, speech: Speech) -> None:
    """Folders stand where files should be, and a file has a name that is no text."""
    for folder, name in (("cdr", "cdr-2020-01-0{}.csv"), ("journal", "2020-01-0{}-asterisk_5038.log")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name.format(1)).mkdir()
        for day in (2, 3):
            (tmp_path / folder / name.format(day)).write_text("x")
    files = RecordingFiles(tmp_path / "recordings")
    first, second = [await recorded(store, files, name) for name in ("m1", "m2")]
    for recording in (first, second):
        files.path(recording).unlink()
    files.path(first).mkdir()
    odd = files.folder / os.fsdecode(b"\xff\xfe.wav")
    odd.touch()
    os.utime(odd, (0, 0))
    await retention(store, speech, tmp_path).sweep(NOW + 365 * DAY)
    assert [path.name for path in (tmp_path / "cdr").iterdir()] == ["cdr-2020-01-01.csv"]
    assert [path.name for path in (tmp_path / "journal").iterdir()] == ["2020-01-01-asterisk_5038.log"]
    assert (await found(store, first)).state is not RecordingState.DELETED
    assert await store.recordings.find("acme", second.id) is None
    assert not odd.exists()


@pytest.mark.any_database
async def test_a_fault_of_ours_is_told_when_all_else_is_swept(
    store: Store, tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def faulty(*_: object, **__: object) -> None:
        raise ValueError("unforeseen")

    monkeypatch.setattr(store.messages, "remove", faulty)
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "2020-01-01-asterisk_5038.log").write_text("x")
    with pytest.raises(ValueError, match="unforeseen"):
        await retention(store, speech, tmp_path).sweep(NOW)
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.any_database
async def test_more_than_a_few_that_cannot_be_removed_are_not_all_tried() -> None:
    tried = []

    async def find(limit: int) -> list[int]:
        return list(range(limit))

    async def remove(number: int) -> None:
        tried.append(number)
        raise OSError(number)

    with pytest.raises(OSError, match="0"):
        await remove_each(find, remove)
    assert len(tried) == 10
