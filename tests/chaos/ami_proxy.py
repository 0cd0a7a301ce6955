"""A proxy between a daemon and its Asterisk's AMI, which cuts or stalls the link as networks do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class AmiProxy:
    """Passes bytes on, until it is told to cut, to stall or to leave the link half open.

    ``ami_port`` tells Asterisk's own port each time that the daemon connects.
    """

    def __init__(self, ami_port: Callable[[], int]) -> None:
        self.port = 0
        self.connections = 0
        self._ami_port = ami_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._refuses = False
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        self.cut()
        self.mend()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Both sides are told at once, and nobody gets in until ``mend``."""
        self._refuses = True
        for pair in self._pairs:
            for writer in pair:
                writer.transport.abort()

    def stall(self) -> None:
        """Nothing gets through in either direction, nor on a new connection, until ``mend``; nobody is told."""
        self._flows.clear()

    def leave_half_open(self) -> None:
        """Asterisk's side is gone, the daemon is not told; a new connection works."""
        for _, to_ami in self._pairs:
            to_ami.transport.abort()

    def mend(self) -> None:
        """All is well again."""
        self._refuses = False
        self._flows.set()

    async def _serve(self, from_daemon: asyncio.StreamReader, to_daemon: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self._refuses:
                return
            from_ami, to_ami = await asyncio.open_connection("127.0.0.1", self._ami_port())
        except OSError:
            return
        else:
            pair = (to_daemon, to_ami)
            self._pairs.add(pair)
            hearing = asyncio.create_task(self._hear(from_ami, to_daemon, to_ami))
            await self._pass_on(from_daemon, to_ami)
            self._pairs.discard(pair)
            hearing.cancel()
            to_ami.transport.abort()
        finally:
            to_daemon.transport.abort()

    async def _hear(
        self, from_ami: asyncio.StreamReader, to_daemon: asyncio.StreamWriter, to_ami: asyncio.StreamWriter
    ) -> None:
        await self._pass_on(from_ami, to_daemon)
        if not to_ami.transport.is_closing():  # Asterisk itself hung up, it was not our doing
            to_daemon.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To the end of what comes; what a side that is gone is told is lost."""
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._flows.wait()
                if not writer.transport.is_closing():
                    writer.write(data)
