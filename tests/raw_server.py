"""A server on loopback that answers with any bytes, whether or not they are HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Ending = Literal["close", "wait", "endless", "keep"]


@dataclass
class RawServer:
    """Answers each request, once it has all of it, with ``answer``; then closes, says no more, goes on without end or
    waits for the next request."""

    answer: bytes
    ending: Ending = "close"
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    _latest: asyncio.StreamWriter | None = None

    async def say(self, data: bytes) -> None:
        """Say it unasked over the latest connection, and wait until the other end has closed that."""
        assert self._latest is not None
        self._latest.write(data)
        async with asyncio.timeout(10):
            await self._latest.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._latest = writer
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                self.asked.append(head + await reader.readexactly(int(length[1]) if length else 0))
                writer.write(self.answer)
                await writer.drain()
                while self.ending == "endless":
                    writer.write(b"x" * 10_000)
                    await writer.drain()
                if self.ending == "close":
                    break
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def answering(answer: bytes, ending: Ending = "close") -> AsyncIterator[RawServer]:
    host = RawServer(answer, ending)
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield host
    finally:
        server.close()
