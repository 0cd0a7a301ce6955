"""Object storage for tests: a real S3 server on loopback that checks every signature, and a faulty network."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import boto3

from bridge.base.objects import Bucket
from bridge.lab.processes import until
from tests.ports import free_port

_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
_ANYONE = {"aws_access_key_id": "anyone", "aws_secret_access_key": "anything", "region_name": "us-east-1"}
_DONE_BY_ANYONE = 4


@contextmanager
def storage_server() -> Iterator[Bucket]:
    """A server with an empty bucket, for whoever signs with its keys."""
    port = free_port(socket.SOCK_STREAM)
    process = subprocess.Popen(
        [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # From then on the server looks at credentials.
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_DONE_BY_ANYONE)},
    )
    try:
        assert until(lambda: _listens(port), 30)
        yield _new_bucket(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=20)


def stored(bucket: Bucket) -> dict[str, bytes]:
    """What the bucket holds, by key. It blocks, so that through a `StorageNetwork` it asks from a thread."""
    with _closing(_client("s3", bucket)) as client:
        keys = [one["Key"] for one in client.list_objects_v2(Bucket=bucket.name).get("Contents", ())]
        return {
            key.removeprefix(bucket.prefix): client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
            for key in keys
        }


def emptied(bucket: Bucket) -> Bucket:
    """The same bucket, without its objects."""
    with _closing(_client("s3", bucket)) as client:
        for one in client.list_objects_v2(Bucket=bucket.name).get("Contents", ()):
            client.delete_object(Bucket=bucket.name, Key=one["Key"])
    return bucket


@dataclass
class StorageNetwork:
    """Stands between a node and the server: all goes through, or nothing answers, or nobody is there.

    ``most_bytes`` is how much an answer may have before the connection is cut.
    """

    server_port: int
    bucket: Bucket
    stalled: bool = False
    away: bool = False
    most_bytes: int | None = None
    connections: int = 0
    requests: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.away:
            writer.transport.abort()
            return
        self._open.add(writer)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        back = asyncio.create_task(self._answer(from_server, writer))
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.requests += data.count(b"HTTP/1.1\r\n")
                if self.away:
                    break
                if not self.stalled:
                    to_server.write(data)
        back.cancel()
        to_server.close()
        writer.transport.abort()
        self._open.discard(writer)

    async def _answer(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        while data := await from_server.read(16384):
            sent += len(data)
            if self.most_bytes is not None and sent > self.most_bytes:
                break
            writer.write(data)
        writer.transport.abort()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()


@asynccontextmanager
async def storage_network(bucket: Bucket) -> AsyncIterator[StorageNetwork]:
    """A network through which ``network.bucket`` leads to the server."""
    assert bucket.endpoint is not None
    network = StorageNetwork(int(bucket.endpoint.rpartition(":")[2]), bucket)
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    network.bucket = replace(bucket, endpoint=f"http://127.0.0.1:{port}")
    try:
        yield network
    finally:
        network.cut()
        server.close()
        await server.wait_closed()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _new_bucket(endpoint: str) -> Bucket:
    with (
        _closing(boto3.client("iam", endpoint_url=endpoint, **_ANYONE)) as users,
        _closing(boto3.client("s3", endpoint_url=endpoint, **_ANYONE)) as storage,
    ):
        users.create_user(UserName="voicebridge")
        users.put_user_policy(UserName="voicebridge", PolicyName="storage", PolicyDocument=json.dumps(_ALL))
        key = users.create_access_key(UserName="voicebridge")["AccessKey"]
        storage.create_bucket(Bucket="calls")
    return Bucket("calls", endpoint, "bridge/", access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])


def _client(service: str, bucket: Bucket) -> Any:
    return boto3.client(
        service,
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
    )


@contextmanager
def _closing(client: Any) -> Iterator[Any]:
    try:
        yield client
    finally:
        client.close()
