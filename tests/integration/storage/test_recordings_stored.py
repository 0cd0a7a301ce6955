"""Recordings go into object storage whatever happens to it, and are heard from wherever they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from bridge.api.application import create_app
from bridge.api.authentication import Authenticator
from bridge.api.services import Readiness
from bridge.base.backoff import Waits
from bridge.base.objects import Bucket, ObjectStorageFailed
from bridge.messages.recording import RecordingState
from bridge.recordings import uploads as recording_uploads
from bridge.recordings.files import RecordingFiles
from bridge.recordings.sweep import RecordingSweep
from bridge.recordings.uploads import RecordingUploads
from bridge.speech.engine_registry import build_engines
from bridge.speech.speech import Speech
from bridge.store import Store
from tests.object_storage import StorageNetwork, stored
from tests.recorded import HOUR, NOW, begun, call, recorded, state, write

Client = TestClient[Request, Application]
KEY = {"Authorization": "App the-key"}


@asynccontextmanager
async def uploading(store: Store, files: RecordingFiles, node: str = "here") -> AsyncIterator[RecordingUploads]:
    """The daemon's task, until it is killed."""
    uploads = RecordingUploads(recordings=store.recordings, files=files, node=node)
    task = asyncio.create_task(uploads.run())
    try:
        yield uploads
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - the store and the disk tell nobody
            await asyncio.sleep(0.02)


@pytest.fixture
async def front_desk(store: Store, tmp_path: Path) -> AsyncIterator[Callable[[RecordingFiles], Awaitable[Client]]]:
    """Opens the API of a node."""
    speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    clients = []

    async def readiness() -> Readiness:
        return Readiness({}, {})

    async def front_desk(files: RecordingFiles) -> Client:
        app = create_app(
            store=store,
            authenticator=Authenticator(keys={"the-key": "acme"}, users={}, kept=store.accounts.credentials),
            speech=speech,
            recordings=files,
            readiness=readiness,
            max_body_bytes=1_000_000,
        )
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return client

    yield front_desk
    for client in clients:
        await client.close()
    await speech.close()


async def test_a_recording_leaves_the_node_when_it_is_stored(
    store: Store, files: RecordingFiles, bucket: Bucket
) -> None:
    async with uploading(store, files) as uploads:
        recording = await recorded(store, files)
        data = files.path(recording).read_bytes()
        uploads.wake()
        await until(lambda: _is_stored(store, recording.id))
        assert stored(bucket) == {f"recordings/{recording.id}.wav": data}
        await until(lambda: _is_gone(files.path(recording)))
    assert await state(store, recording) == RecordingState.AVAILABLE


async def test_a_call_that_goes_on_keeps_its_recording(store: Store, files: RecordingFiles, bucket: Bucket) -> None:
    recording = await begun(store, await call(store))
    write(files, recording)
    await RecordingUploads(recordings=store.recordings, files=files, node="here").upload_all()
    assert files.path(recording).exists()
    assert stored(bucket) == {}


async def test_recordings_wait_while_storage_is_away_also_over_a_restart(
    store: Store, files: RecordingFiles, bucket: Bucket, network: StorageNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_uploads, "WHILE_AWAY", Waits(first=0.1, longest=300.0))
    network.away = True
    recordings = [await recorded(store, files, f"m{number}") for number in range(6)]
    for _ in range(2):
        tried = network.connections
        async with uploading(store, files):
            await until(partial(_has_tried, network, tried))
        assert len(list(files.folder.iterdir())) == 6
    async with uploading(store, files):
        network.away = False
        for recording in recordings:
            await until(partial(_is_stored, store, recording.id))
    assert len(stored(bucket)) == 6


async def test_a_file_that_is_gone_holds_up_no_other(store: Store, files: RecordingFiles, bucket: Bucket) -> None:
    gone, there = await recorded(store, files, "m1"), await recorded(store, files, "m2")
    files.path(gone).unlink()
    await RecordingUploads(recordings=store.recordings, files=files, node="here").upload_all()
    assert await state(store, gone) == RecordingState.LOST
    assert list(stored(bucket)) == [f"recordings/{there.id}.wav"]


async def test_what_was_stored_before_the_daemon_was_killed_is_swept_from_the_disk(
    store: Store, files: RecordingFiles
) -> None:
    recording = await recorded(store, files)
    await files.store(recording)
    await store.recordings.stored(recording.id)
    sweep = RecordingSweep(recordings=store.recordings, files=files, node="here")
    await sweep.find_lost()
    await sweep.remove_orphans(NOW + 2 * HOUR)
    assert not files.path(recording).exists()
    assert await state(store, recording) == RecordingState.AVAILABLE


async def test_retention_deletes_what_is_stored(store: Store, files: RecordingFiles, bucket: Bucket) -> None:
    recording = await recorded(store, files)
    await RecordingUploads(recordings=store.recordings, files=files, node="here").upload_all()
    sweep = RecordingSweep(recordings=store.recordings, files=files, node="elsewhere")
    await sweep.remove_expired(NOW)
    assert len(stored(bucket)) == 1
    await sweep.remove_expired(NOW + HOUR)
    assert stored(bucket) == {}
    assert await state(store, recording) == RecordingState.DELETED


async def test_retention_forgets_nothing_that_it_could_not_delete(
    store: Store, files: RecordingFiles, bucket: Bucket, network: StorageNetwork
) -> None:
    recording = await recorded(store, files)
    await RecordingUploads(recordings=store.recordings, files=files, node="here").upload_all()
    network.away = True
    network.cut()
    sweep = RecordingSweep(recordings=store.recordings, files=files, node="here")
    with pytest.raises(ObjectStorageFailed):
        await sweep.remove_expired(NOW + HOUR)
    assert await state(store, recording) == RecordingState.AVAILABLE
    assert await store.messages.remove(done_before=NOW + HOUR, limit=10) == 0
    network.away = False
    await sweep.remove_expired(NOW + HOUR)
    assert stored(bucket) == {}
    assert await store.messages.remove(done_before=NOW + HOUR, limit=10) == 1


async def test_any_node_plays_what_is_stored_whole_and_in_parts(
    store: Store,
    files: RecordingFiles,
    tmp_path: Path,
    front_desk: Callable[[RecordingFiles], Awaitable[Client]],
) -> None:
    recording = await recorded(store, files)
    data = files.path(recording).read_bytes()
    await RecordingUploads(recordings=store.recordings, files=files, node="here").upload_all()
    other = RecordingFiles(tmp_path / "other", node="other", objects=files.objects)
    client = await front_desk(other)
    answer = await client.get("/tts/3/files/m1/41793026727", headers=KEY)
    assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/wav", data)
    path = f"/voice/ivr/1/files/{recording.id}"
    for asked, start, stop in (("44-143", 44, 144), ("-100", len(data) - 100, len(data)), ("100-", 100, len(data))):
        answer = await client.get(path, headers={**KEY, "Range": f"bytes={asked}"})
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
        assert await answer.read() == data[start:stop]
    for asked in ("9999999-", "x"):
        answer = await client.get(path, headers={**KEY, "Range": f"bytes={asked}"})
        assert answer.status == 416
    head = await client.head(path, headers=KEY)
    assert (head.status, head.content_length) == (200, len(data))


async def test_what_is_not_stored_yet_is_played_by_its_own_node(
    store: Store, files: RecordingFiles, tmp_path: Path, front_desk: Callable[[RecordingFiles], Awaitable[Client]]
) -> None:
    recording = await recorded(store, files)
    path = f"/voice/ivr/1/files/{recording.id}"
    here, other = await front_desk(files), await front_desk(RecordingFiles(tmp_path / "other", node="other"))
    assert (await here.get(path, headers=KEY)).status == 200
    answer = await other.get(path, headers=KEY)
    assert answer.status == 503
    problem = (await answer.json())["requestError"]["serviceException"]
    assert problem["messageId"] == "RECORDING_ELSEWHERE"
    assert "node here" in problem["text"]


async def test_a_listener_is_told_when_storage_fails_before_or_within_the_recording(
    store: Store,
    files: RecordingFiles,
    network: StorageNetwork,
    front_desk: Callable[[RecordingFiles], Awaitable[Client]],
) -> None:
    recording = await recorded(store, files, seconds=60)
    await RecordingUploads(recordings=store.recordings, files=files, node="here").upload_all()
    client, path = await front_desk(files), f"/voice/ivr/1/files/{recording.id}"
    network.cut()
    network.away = True
    answer = await client.get(path, headers=KEY)
    assert answer.status == 503
    assert (await answer.json())["requestError"]["serviceException"]["messageId"] == "OBJECT_STORAGE_FAILED"
    network.away, network.most_bytes = False, 200_000
    answer = await client.get(path, headers=KEY)
    assert answer.status == 200
    with pytest.raises(Exception, match="payload"):
        await answer.read()


async def _is_stored(store: Store, recording_id: str) -> bool:
    recording = await store.recordings.find("acme", recording_id)
    return recording is not None and recording.node is None


async def _is_gone(path: Path) -> bool:
    return not await asyncio.to_thread(path.exists)


async def _has_tried(network: StorageNetwork, before: int) -> bool:
    return network.connections > before


async def test_a_file_that_cannot_be_removed_or_read_holds_up_no_other(
    store: Store, files: RecordingFiles, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, folder, *others = [await recorded(store, files, f"m{number}") for number in range(9)]
    files.path(folder).unlink()
    files.path(folder).mkdir()
    unlink = Path.unlink

    def refuses(path: Path, missing_ok: bool = False) -> None:
        if path == files.path(stuck):
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuses)
    async with uploading(store, files) as uploads:
        for recording in (stuck, *others):
            await until(partial(_is_stored, store, recording.id))
        await until(lambda: _is_gone(files.path(others[-1])))
        late = await recorded(store, files, "late")
        uploads.wake()
        await until(partial(_is_stored, store, late.id))
    assert len(stored(bucket)) == 9
    monkeypatch.undo()
    await RecordingSweep(recordings=store.recordings, files=files, node="here").remove_orphans(NOW + 2 * HOUR)
    assert not files.path(stuck).exists()
