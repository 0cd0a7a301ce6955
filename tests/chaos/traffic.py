"""The application's side of a trial: it sends, pulls reports with several clients at once, and is pushed some."""

from __future__ import annotations

import asyncio
import time
import wave
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from io import BytesIO
from itertools import cycle
from math import sin
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, web

from tests.chaos.calls_to_make import ToSend
from tests.chaos.fleet import HEADERS

PULLED_AT_ONCE = 20

_PULL_EVERY_SECONDS = 0.25
_AGAIN_SECONDS = 0.2
_PATIENCE = ClientTimeout(total=15)
_REPORTS = ("/tts/3/reports", "/voice/1/reports")


@dataclass(slots=True)
class Host:
    """How a server of the application's behaves: the status that it answers with, and after how many seconds."""

    status: HTTPStatus = HTTPStatus.OK
    seconds: float = 0.0

    async def answer(self, body: bytes) -> web.Response:
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status, body=body)


@dataclass(slots=True)
class Application:
    """All that an application knows in the end.

    ``pulled`` and ``pushed`` count how often each message's report arrived; ``webhook_ids`` came with it.
    ``broken_pulls`` are pulls whose answer got lost, each with at most ``PULLED_AT_ONCE`` reports.
    """

    accepted: dict[str, ToSend] = field(default_factory=dict)
    pulled: Counter[str] = field(default_factory=Counter)
    pushed: Counter[str] = field(default_factory=Counter)
    webhook_ids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    broken_pulls: int = 0
    url: str = ""
    webhook: Host = field(default_factory=Host)
    audio_host: Host = field(default_factory=Host)

    async def send(self, urls: Sequence[str], messages: Sequence[ToSend], per_second: float, retries: int) -> None:
        """Send each at its time, whatever happens to those before; return when all are accepted."""
        started = time.monotonic()
        async with (
            ClientSession(headers=HEADERS, timeout=_PATIENCE) as session,
            asyncio.TaskGroup() as sending,
        ):
            for index, (message, url) in enumerate(zip(messages, cycle(urls), strict=False)):
                await asyncio.sleep(started + index / per_second - time.monotonic())
                others = [other for other in urls if other != url]
                sending.create_task(self._send(session, [url, *others], message, retries))

    async def _send(self, session: ClientSession, urls: Sequence[str], message: ToSend, retries: int) -> None:
        """An answer that got lost leaves open whether the message was accepted; the same id shows it."""
        body = message.body(retries, self.url)
        unanswered = False
        for url in cycle(urls):
            try:
                async with session.post(f"{url}/tts/3/advanced", json=body) as response:
                    if response.status == HTTPStatus.OK or (unanswered and response.status == HTTPStatus.CONFLICT):
                        self.accepted[message.id] = message
                        return
                    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE, await response.text()
            except ClientConnectorError:
                pass
            except (ClientError, TimeoutError):
                unanswered = True
            await asyncio.sleep(_AGAIN_SECONDS)

    async def pull(self, url: str) -> None:
        """Pull reports from one node, in both versions, until cancelled."""
        async with ClientSession(url, headers=HEADERS, timeout=_PATIENCE) as session:
            for path in cycle(_REPORTS):
                try:
                    async with session.get(path, params={"limit": PULLED_AT_ONCE}) as response:
                        if response.status == HTTPStatus.OK:
                            results = (await response.json())["results"]
                            self.pulled.update(report["messageId"] for report in results)
                        else:
                            self.broken_pulls += 1
                except ClientConnectorError:
                    pass
                except (ClientError, TimeoutError):
                    self.broken_pulls += 1
                await asyncio.sleep(_PULL_EVERY_SECONDS)

    async def call_again_now(self, urls: Sequence[str], ids: Iterable[str]) -> None:
        """Have messages that wait for a retry called now, so that nobody waits for the ladder's minute."""
        async with ClientSession(headers=HEADERS, timeout=_PATIENCE) as session:
            for id_, url in zip(ids, cycle(urls), strict=False):
                with suppress(ClientError, TimeoutError):
                    await self._reschedule(session, url, self.accepted[id_])

    async def _reschedule(self, session: ClientSession, url: str, message: ToSend) -> None:
        body = {"sendAt": "2020-01-01T00:00:00.000+0000"}
        params = {"bulkId": message.bulk_id}
        async with session.put(f"{url}/tts/3/bulks", params=params, json=body) as response:
            nothing_waits = response.status == HTTPStatus.CONFLICT
            away = response.status == HTTPStatus.SERVICE_UNAVAILABLE
            assert response.ok or nothing_waits or away, await response.text()

    async def take_push(self, request: web.Request) -> web.Response:
        """The webhook."""
        if self.webhook.status == HTTPStatus.OK:
            body: dict[str, Any] = await request.json()
            for report in body["results"]:
                self.pushed[report["messageId"]] += 1
                self.webhook_ids[report["messageId"]].add(request.headers["webhook-id"])
        return await self.webhook.answer(b"")

    async def give_audio(self, request: web.Request) -> web.Response:
        """The host of the audio files."""
        return await self.audio_host.answer(_a_second_of_sound())


@asynccontextmanager
async def running_application(urls: Sequence[str], clients: int = 4) -> AsyncIterator[Application]:
    """An application whose servers listen and whose ``clients`` pull, spread over the nodes."""
    application = Application()
    server = web.Application()
    server.router.add_post("/report", application.take_push)
    server.router.add_get("/audio.wav", application.give_audio)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    application.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    pulling = [asyncio.create_task(application.pull(url)) for _, url in zip(range(clients), cycle(urls), strict=False)]
    try:
        yield application
    finally:
        for client in pulling:
            client.cancel()
        await asyncio.wait(pulling)
        await runner.cleanup()


@cache
def _a_second_of_sound() -> bytes:
    """A WAV file."""
    samples = (round(8000 * sin(index / 4)) for index in range(8000))
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    return file.getvalue()
