"""The client of object storage against a real server, and against one that is away, slow or refuses."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.base import objects as module
from bridge.base.objects import Bucket, ObjectNotThere, ObjectStorageFailed
from tests.integration.storage.conftest import Open
from tests.object_storage import StorageNetwork, stored


async def test_what_is_put_is_there_until_it_is_deleted(bucket: Bucket, open_objects: Open, tmp_path: Path) -> None:
    objects = await open_objects(bucket)
    await objects.put("speech/a", b"one")
    await objects.put("speech/a", b"two")
    (tmp_path / "file").write_bytes(bytes(300_000))
    assert await objects.put_file("recordings/ž b.wav", tmp_path / "file") == 300_000
    assert stored(bucket) == {"speech/a": b"two", "recordings/ž b.wav": bytes(300_000)}
    assert await objects.get("speech/a") == b"two"
    await objects.delete("speech/a")
    await objects.delete("speech/a")
    with pytest.raises(ObjectNotThere):
        await objects.get("speech/a")


async def test_an_object_is_read_in_parts(bucket: Bucket, open_objects: Open) -> None:
    objects = await open_objects(bucket)
    data = bytes(n % 251 for n in range(200_000))
    await objects.put("long", data)
    async with objects.reading("long", range(1000, 150_000)) as chunks:
        pieces = [chunk async for chunk in chunks]
    assert len(pieces) > 1
    assert b"".join(pieces) == data[1000:150_000]


async def test_a_large_file_holds_up_nothing_else(bucket: Bucket, open_objects: Open, tmp_path: Path) -> None:
    objects = await open_objects(bucket)
    (tmp_path / "file").write_bytes(bytes(50_000_000))
    uploading = asyncio.create_task(objects.put_file("recording", tmp_path / "file"))
    longest = 0.0
    while not uploading.done():
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    assert await uploading == 50_000_000
    assert longest < 0.1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret_key": "wrong"}, "SignatureDoesNotMatch"),
        ({"access_key": "nobody"}, "InvalidAccessKeyId"),
        ({"name": "another"}, "NoSuchBucket"),
        ({"endpoint": "http://127.0.0.1:1"}, "cannot be reached"),
    ],
)
async def test_a_storage_that_refuses_says_why_and_tells_no_secret(
    bucket: Bucket, open_objects: Open, tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    objects = await open_objects(replace(bucket, **wrong))
    (tmp_path / "file").write_bytes(b"data")
    for attempt in (
        objects.put("key", b"data"),
        objects.put_file("key", tmp_path / "file"),
        objects.get("key"),
        objects.delete("key"),
    ):
        with pytest.raises(ObjectStorageFailed, match=said) as failed:
            await attempt
        assert str(bucket.secret_key) not in str(failed.value)


async def test_a_server_that_never_answers_is_given_up(
    network: StorageNetwork, open_objects: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(module, "SLOWEST_BYTES_PER_SECOND", 10_000_000)
    objects = await open_objects(network.bucket)
    (tmp_path / "file").write_bytes(bytes(5_000_000))
    network.stalled = True
    for attempt in (objects.put_file("key", tmp_path / "file"), objects.get("key"), objects.delete("key")):
        async with asyncio.timeout(20):
            with pytest.raises(ObjectStorageFailed):
                await attempt


async def test_an_object_of_which_a_part_is_missing_is_none(network: StorageNetwork, open_objects: Open) -> None:
    objects = await open_objects(network.bucket)
    await objects.put("key", bytes(500_000))
    network.most_bytes = 100_000
    with pytest.raises(ObjectStorageFailed):
        await objects.get("key")
