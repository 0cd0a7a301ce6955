"""Downloads: audio files at URLs that callers named."""

from __future__ import annotations

import asyncio

from bridge.base.errors import VoicebridgeError
from bridge.base.outbound import Outbound, Response
from bridge.speech.errors import AudioNotDownloaded

MOST_BYTES = 4 * 1024 * 1024
SECONDS = 30.0
AT_ONCE = 20
OK = 200


class Downloads:
    """Downloads files, at most 20 at once, so that what is held in memory stays bounded.

    Without an ``outbound`` every download is refused.
    """

    def __init__(self, outbound: Outbound | None) -> None:
        self._outbound = outbound
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, url: str) -> bytes:
        """The bytes of a file. Raises AudioNotDownloaded, which names the server and nothing more of the URL.

        No HEAD is sent before the GET: many servers drop, delay or garble it, and the answer to the GET tells the
        length of the file as well.
        """
        async with self._slots:
            answer = await self._answer(url)
        if answer.status != OK:
            raise AudioNotDownloaded(f"the server of the audio file answered {answer.status}")
        if answer.truncated:
            raise AudioNotDownloaded(f"the audio file is larger than {MOST_BYTES} bytes")
        if answer.broken is not None:
            raise _failed(answer.broken)
        return answer.body

    async def _answer(self, url: str) -> Response:
        if self._outbound is None:
            raise AudioNotDownloaded("nothing is downloaded here")
        try:
            return await self._outbound.fetch("GET", url, most_bytes=MOST_BYTES, timeout=SECONDS)
        except VoicebridgeError as error:
            raise _failed(str(error)) from error


def _failed(reason: str) -> AudioNotDownloaded:
    return AudioNotDownloaded(f"the audio file cannot be downloaded: {reason}")
