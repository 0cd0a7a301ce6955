"""The host and port at which the API listens."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web
from yarl import URL

from bridge.base.errors import VoicebridgeError

_log = structlog.get_logger(__name__)

_LAST_REQUESTS_SECONDS = 5.0
"""For requests under way when the site is closed: a client that has gone silent must not hold up the stop."""


class CannotListen(VoicebridgeError):
    """The address of the API cannot be had, mostly since another program has it."""

    id = "CANNOT_LISTEN"


class Site:
    """An application at a host and port: ``bind`` takes the port; from ``open`` to ``close`` requests are answered."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._url = str(URL.build(scheme="http", host=host, port=port))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_REQUESTS_SECONDS)
        self._listener: asyncio.Server | None = None

    async def bind(self) -> None:
        """Take the port, without accepting connections yet. Raises CannotListen."""
        await self._runner.setup()
        assert self._runner.server
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._runner.server, self._host, self._port, start_serving=False
            )
        except OSError as error:
            raise CannotListen(f"{self._url}: {error.strerror}") from error

    async def open(self) -> None:
        """Accept connections."""
        assert self._listener
        await self._listener.start_serving()
        _log.info("serving", url=self._url)

    async def close(self) -> None:
        """Accept no more connections, and answer the last requests."""
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()
