"""What one node has spoken, or was given, others need not make again; and storage that fails holds up nobody."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bridge.base.objects import Bucket, Objects, ObjectStorageFailed
from bridge.speech.cache.cache import seal
from bridge.speech.cache.shared_fragments import LOOK_SECONDS
from bridge.speech.engine_registry import build_engines
from bridge.speech.errors import SpeechError, UploadUnknown
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.speech import Speech
from tests.integration.storage.conftest import Open
from tests.object_storage import StorageNetwork, stored

NewNode = Callable[[str, Objects], Speech]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phrase waits for storage on a busy machine, which has not failed."""
    monkeypatch.setattr("bridge.speech.cache.shared_fragments.LOOK_SECONDS", 20)


@pytest.fixture
async def new_node(tmp_path: Path) -> AsyncIterator[NewNode]:
    """The speech of a node with a disk of its own."""
    nodes = []

    def new_node(name: str, objects: Objects) -> Speech:
        nodes.append(Speech(cache_dir=tmp_path / name, engines=build_engines(["espeak-ng"]), objects=objects))
        return nodes[-1]

    yield new_node
    for node in nodes:
        await node.close()


@pytest.fixture
async def one(new_node: NewNode, network: StorageNetwork, open_objects: Open) -> Speech:
    node = new_node("one", await open_objects(network.bucket))
    await node.start()
    return node


def sound(prompt: Prompt) -> bytes:
    return prompt.stem.with_suffix(".ulaw").read_bytes()


def wave(seconds: float = 2) -> bytes:
    source = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}:sample_rate=8000"]
    command = ["ffmpeg", "-v", "error", *source, "-f", "wav", "pipe:1"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


async def shared(bucket: Bucket, count: int) -> dict[str, bytes]:
    """What is in the bucket, when it is so many objects."""
    async with asyncio.timeout(20):
        while len(found := await asyncio.to_thread(stored, bucket)) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    return found


async def test_a_node_says_what_another_has_spoken_in_that_one_s_voice(
    one: Speech, bucket: Bucket, new_node: NewNode, open_objects: Open
) -> None:
    mine = await one.prepare(Phrase("one, two, three"))
    fragments = await shared(bucket, 3)
    objects = await open_objects(bucket)
    for key in fragments:
        await objects.put(key, seal(np.full(4000, 9000, np.int16)))
    other = new_node("other", objects)
    await other.start()
    theirs = await other.prepare(Phrase("one, two, three"))
    assert theirs.seconds == pytest.approx(3 * 0.5 + 2 * 0.5, abs=0.07)
    assert sound(theirs) != sound(mine)
    assert len(stored(bucket)) == 3


async def test_what_is_sensitive_is_neither_put_into_storage_nor_looked_for_there(
    one: Speech, network: StorageNetwork
) -> None:
    network.requests = 0
    await one.prepare(Phrase("4, 7, 1, 1", sensitive=True))
    assert network.requests == 0
    await one.prepare(Phrase("hello"))
    assert len(await shared(network.bucket, 1)) == 1


async def test_a_fragment_that_came_broken_is_spoken_anew(
    one: Speech, bucket: Bucket, new_node: NewNode, open_objects: Open
) -> None:
    first = await one.prepare(Phrase("hello"))
    (key,) = await shared(bucket, 1)
    objects = await open_objects(bucket)
    await objects.put(key, b"something else")
    other = new_node("other", objects)
    await other.start()
    assert sound(await other.prepare(Phrase("hello"))) == sound(first)


@pytest.mark.parametrize("trouble", ["away", "stalled"])
async def test_storage_that_fails_holds_up_a_phrase_for_half_a_second_and_the_next_not_at_all(
    one: Speech, network: StorageNetwork, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    await one.prepare(Phrase("before"))
    monkeypatch.setattr("bridge.speech.cache.shared_fragments.LOOK_SECONDS", LOOK_SECONDS)
    setattr(network, trouble, True)
    began = time.monotonic()
    await one.prepare(Phrase(", ".join(f"piece {number}" for number in range(20))))
    assert time.monotonic() - began < LOOK_SECONDS * 10
    network.requests = 0
    began = time.monotonic()
    for number in range(10):
        await one.prepare(Phrase(f"number {number}"))
    assert time.monotonic() - began < LOOK_SECONDS * 10
    assert network.requests == 0


async def test_an_upload_is_played_at_every_node_until_it_is_dropped(
    one: Speech, bucket: Bucket, new_node: NewNode, open_objects: Open, tmp_path: Path
) -> None:
    upload = await one.keep_upload(wave())
    other = new_node("other", await open_objects(bucket))
    assert sound(await other.upload(upload.id)) == sound(await one.upload(upload.id))
    assert (tmp_path / "other" / "uploads" / upload.id).stat().st_mode & 0o777 == 0o600
    await one.drop_upload(upload.id)
    assert stored(bucket) == {}
    with pytest.raises(UploadUnknown):
        await one.upload(upload.id)
    assert await other.uploads_from_before(datetime.now(UTC) + timedelta(seconds=1)) == [upload.id]
    assert await other.uploads_from_before(datetime.now(UTC) - timedelta(minutes=1)) == []


async def test_an_upload_that_cannot_be_shared_is_refused_and_one_that_cannot_be_had_is_not_unknown(
    one: Speech, network: StorageNetwork, tmp_path: Path, new_node: NewNode, open_objects: Open
) -> None:
    upload = await one.keep_upload(wave())
    network.away = True
    network.cut()
    with pytest.raises(ObjectStorageFailed):
        await one.keep_upload(wave())
    assert [path.name for path in (tmp_path / "one" / "uploads").iterdir()] == [upload.id]
    assert (await one.upload(upload.id)).seconds > 1, "what is on this disk is played"
    other = new_node("other", await open_objects(network.bucket))
    with pytest.raises(SpeechError) as failed:
        await other.upload(upload.id)
    assert failed.value.id == "SPEECH_FAILED"
    network.away = False
    assert (await other.upload(upload.id)).sound_seconds == upload.seconds
