"""Audio files at URLs that callers named."""

from __future__ import annotations

import asyncio

from bridge.errors import VoicebridgeError
from bridge.outbound import Outbound, Response
from bridge.speech.errors import AudioNotDownloaded

MOST_BYTES = 4 * 1024 * 1024
HEAD_SECONDS = 10.0
GET_SECONDS = 30.0
AT_ONCE = 20
OK = 200


class Downloads:
    """At most 20 at once, so that what is held in memory stays bounded. None goes out without an ``outbound``."""

    def __init__(self, outbound: Outbound | None) -> None:
        self._outbound = outbound
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, url: str) -> bytes:
        """The file. Raises AudioNotDownloaded, which names the server and nothing more of the URL.

        A HEAD before the GET saves the download of a file that says it is too large. Otherwise its answer does not
        count: there are servers that refuse it (405, 501), and URLs that were signed for GET alone (403).
        """
        async with self._slots:
            head = await self._request("HEAD", url, HEAD_SECONDS)
            length = head.headers.get("Content-Length", "")
            if head.status == OK and length.isdecimal() and int(length) > MOST_BYTES:
                raise _too_large()
            answer = await self._request("GET", url, GET_SECONDS)
        if answer.status != OK:
            raise AudioNotDownloaded(f"the server of the audio file answered {answer.status}")
        if answer.truncated:
            raise _too_large()
        return answer.body

    async def _request(self, method: str, url: str, seconds: float) -> Response:
        if self._outbound is None:
            raise AudioNotDownloaded("nothing is downloaded here")
        try:
            return await self._outbound.fetch(method, url, most_bytes=MOST_BYTES, timeout=seconds)
        except VoicebridgeError as error:
            raise AudioNotDownloaded(f"the audio file cannot be downloaded: {error}") from error


def _too_large() -> AudioNotDownloaded:
    return AudioNotDownloaded(f"the audio file is larger than {MOST_BYTES} bytes")
