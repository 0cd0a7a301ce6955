"""Reading the status line of an HTTP answer, even when what follows it is broken."""

from __future__ import annotations

import asyncio
import re
from contextvars import ContextVar

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

MOST_BYTES = 1 << 16
"""Room for interim (1xx) answers, which come before the final status line."""

ANSWER = re.compile(rb"HTTP/\d\.\d +(\d{3})(?![^\s])")
INTERIM = re.compile(rb"HTTP/\d\.\d +1(?!01)\d\d(?![^\s]).*?\r?\n\r?\n", re.DOTALL)


class Beginning:
    """The first bytes of the answer to the request that this task sends next, over a ``Connector``."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        _awaited.set(self)

    def begin(self) -> None:
        """Forget what came: the request goes over another connection, or over the same one again."""
        self._bytes.clear()

    def add(self, data: bytes) -> None:
        self._bytes += data[: MOST_BYTES - len(self._bytes)]

    @property
    def status(self) -> int | None:
        """The final status, whatever follows its line; None when there is none."""
        start = 0
        while interim := INTERIM.match(self._bytes, start):
            start = interim.end()
        line = ANSWER.match(self._bytes, start)
        return None if line is None or line[1].startswith(b"1") else int(line[1])


_awaited: ContextVar[Beginning] = ContextVar("_awaited")


class Connector(aiohttp.TCPConnector):
    """Copies what its connections receive to the ``Beginning`` of the task that sent the request."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:  # noqa: ASYNC109 - aiohttp's own
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        assert transport is not None, "it was just connected"
        tap = transport.get_protocol()
        if not isinstance(tap, _Tap):
            assert isinstance(tap, asyncio.Protocol)
            tap = _Tap(transport, tap)
            transport.set_protocol(tap)
        tap.show_to(_awaited.get())
        connection.add_callback(tap.rest)
        return connection


class _Tap(asyncio.Protocol):
    """Stands between a connection and aiohttp's parser.

    Bytes that come while no request is under way end the connection: they would be taken for the answer to the next
    one.
    """

    def __init__(self, transport: asyncio.Transport, parsing: asyncio.Protocol) -> None:
        self._transport = transport
        self._parsing = parsing
        self._beginning: Beginning | None = None

    def show_to(self, beginning: Beginning) -> None:
        beginning.begin()
        self._beginning = beginning

    def rest(self) -> None:
        """Show nothing more: the request is over."""
        self._beginning = None

    def data_received(self, data: bytes) -> None:
        if self._beginning is None:
            self._transport.abort()
            return
        self._beginning.add(data)
        self._parsing.data_received(data)

    def eof_received(self) -> bool | None:
        return self._parsing.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._parsing.connection_lost(exc)

    def pause_writing(self) -> None:
        self._parsing.pause_writing()

    def resume_writing(self) -> None:
        self._parsing.resume_writing()
