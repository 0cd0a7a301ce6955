"""Object storage that speaks S3 (Amazon S3 API Reference, 2006-03-01): one bucket that all nodes share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError

from bridge.base.errors import VoicebridgeError
from bridge.base.threads import FILES

CONNECT_SECONDS = 3.0
SILENT_SECONDS = 10.0
SLOWEST_BYTES_PER_SECOND = 50_000
AT_ONCE = 32
_CHUNK_BYTES = 65_536
_NOT_THERE = {"NoSuchKey", "404"}


class ObjectStorageFailed(VoicebridgeError):
    """The object storage is away, slow, full or refuses us."""

    id: ClassVar[str] = "OBJECT_STORAGE_FAILED"


class ObjectNotThere(VoicebridgeError):
    """The object storage works and has no such object."""

    id: ClassVar[str] = "OBJECT_NOT_THERE"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and how it is reached.

    Without ``endpoint`` it is Amazon's. Without keys those are used that Amazon's own tools would find (environment,
    the machine's role). ``prefix`` stands before every object's key.
    """

    name: str
    endpoint: str | None = None
    prefix: str = ""
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None


class Objects:
    """The objects of a bucket, by key, from ``start`` to ``close``. Its methods raise ObjectStorageFailed.

    Nothing is tried twice. The storage has 3 s to connect and may be silent for 10 s; a caller that cannot wait so long
    sets a limit of its own.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._open = AsyncExitStack()
        self._client: Any = None

    async def start(self) -> None:
        """Make the client. Nothing is asked of the storage yet, which may be away."""
        # The import costs a quarter of a second and 25 MB, so only users of object storage pay for it.
        from aiobotocore.config import AioConfig  # noqa: PLC0415
        from aiobotocore.session import get_session  # noqa: PLC0415

        bucket = self._bucket
        client = get_session().create_client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            aws_access_key_id=bucket.access_key,
            aws_secret_access_key=bucket.secret_key,
            config=AioConfig(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=SILENT_SECONDS,
                max_pool_connections=AT_ONCE,
                retries={"total_max_attempts": 1},
                # Hashing a recording of an hour would hold up the event loop.
                s3={"payload_signing_enabled": False, **({"addressing_style": "path"} if bucket.endpoint else {})},
                # Storages other than Amazon's may refuse checksums that come in a trailer.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self._client = await self._open.enter_async_context(client)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._open.aclose()

    async def put(self, key: str, data: bytes) -> None:
        """Store an object, replacing one that has this key."""
        await self._put(key, data, len(data))

    async def put_file(self, key: str, path: Path) -> int:
        """Store a file as it is now; return its size in bytes. Raises OSError when it cannot be read."""
        with await FILES.run(path.open, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            await self._put(key, file, size)
            return size

    async def get(self, key: str) -> bytes:
        """Return a small object whole. Raises ObjectNotThere."""
        async with self.reading(key) as chunks:
            return b"".join([chunk async for chunk in chunks])

    @asynccontextmanager
    async def reading(self, key: str, part: range | None = None) -> AsyncIterator[AsyncIterator[bytes]]:
        """An object, or ``part`` of its bytes, in chunks. Raises ObjectNotThere."""
        asked = {} if part is None else {"Range": f"bytes={part.start}-{part.stop - 1}"}
        with _told():
            answer = await self._client.get_object(Bucket=self._bucket.name, Key=self._key(key), **asked)
        async with answer["Body"] as body:
            yield _chunks(body)

    async def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with _told():
            await self._client.delete_object(Bucket=self._bucket.name, Key=self._key(key))

    async def _put(self, key: str, body: bytes | IO[bytes], size: int) -> None:
        with _told():
            async with asyncio.timeout(SILENT_SECONDS + size / SLOWEST_BYTES_PER_SECOND):
                await self._client.put_object(Bucket=self._bucket.name, Key=self._key(key), Body=body)

    def _key(self, key: str) -> str:
        return self._bucket.prefix + key


async def _chunks(body: Any) -> AsyncIterator[bytes]:
    with _told():
        while chunk := await body.read(_CHUNK_BYTES):
            yield chunk


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the libraries raise into our errors, which quote nothing of the request."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_THERE:
            raise ObjectNotThere("there is no such object") from None
        raise ObjectStorageFailed(f"the object storage refused: {code}") from None
    except (BotoCoreError, HttpError, TimeoutError) as error:
        raise ObjectStorageFailed(f"the object storage cannot be reached: {type(error).__name__}") from None
