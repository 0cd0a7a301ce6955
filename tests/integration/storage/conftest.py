"""A real object storage, a faulty network to it, and two nodes' disks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bridge.base.objects import Bucket, Objects
from bridge.recordings.files import RecordingFiles
from bridge.store import Store
from tests.object_storage import StorageNetwork, emptied, storage_network, storage_server

Open = Callable[[Bucket], Awaitable[Objects]]


@pytest.fixture(scope="session")
def server() -> Iterator[Bucket]:
    with storage_server() as bucket:
        yield bucket


@pytest.fixture
def bucket(server: Bucket) -> Bucket:
    return emptied(server)


@pytest.fixture
async def network(bucket: Bucket) -> AsyncIterator[StorageNetwork]:
    async with storage_network(bucket) as network:
        yield network


@pytest.fixture
async def open_objects() -> AsyncIterator[Open]:
    """Begins to use a bucket, until the test is over."""
    opened: list[Objects] = []

    async def open_objects(bucket: Bucket) -> Objects:
        opened.append(Objects(bucket))
        await opened[-1].start()
        return opened[-1]

    yield open_objects
    for objects in opened:
        await objects.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    yield store
    await store.close()


@pytest.fixture
async def files(tmp_path: Path, network: StorageNetwork, open_objects: Open) -> RecordingFiles:
    """The recordings of the node here."""
    return RecordingFiles(tmp_path / "here", node="here", objects=await open_objects(network.bucket))
