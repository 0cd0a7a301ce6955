"""The API on a real store, served on loopback; calls end as a test says, since nobody dials here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer
from aiohttp.web import Application
from infobip_api_client import ApiClient, Configuration, VoiceApi

from bridge.api.application import create_app
from bridge.api.http.authentication import Authenticator
from bridge.api.http.services import Readiness
from bridge.dialer.traffic import TrunkTraffic
from bridge.messages.attempt import Attempt, Spoken
from bridge.recordings.files import RecordingFiles
from bridge.speech.engine_registry import build_engines
from bridge.speech.speech import Speech
from bridge.store import Claim, Claims, Store, Topic
from bridge.telephony.trunks import TrunkStanding
from tests import claims
from tests.integration.api.documented import DocumentedClient

KEYS = {"the-key": "acme", "the-other-key": "other"}
USERS = {("ana", "s3cret:ž"): "acme"}
MOST_BYTES = 3_000_000


class Desk:
    """The application behind a client, its store, and what it told the rest of the house."""

    def __init__(self, store: Store, folder: Path, public_url: str | None = None) -> None:
        self.store = store
        self._public_url = public_url
        self.speech = Speech(cache_dir=folder / "speech", engines=build_engines(("espeak-ng", "gtts")))
        self.recordings = RecordingFiles(folder / "recordings")
        self.wakes = 0
        self.cancellations = 0
        store.subscribe(Topic.DUE, self.wake)
        store.subscribe(Topic.CANCELED, self.cancel)
        self.problems: dict[str, str | None] = {"asterisk": None}
        self.trunks: dict[str, tuple[TrunkStanding, TrunkTraffic]] = {}
        self.client = DocumentedClient(TestServer(self._app()))

    def _app(self) -> Application:
        return create_app(
            store=self.store,
            authenticator=Authenticator(keys=KEYS, users=USERS, kept=self.store.accounts.credentials),
            speech=self.speech,
            recordings=self.recordings,
            readiness=self.readiness,
            max_body_bytes=MOST_BYTES,
            public_url=self._public_url,
        )

    @property
    def url(self) -> str:
        """Where the client finds it."""
        return str(self.client.make_url("")).removesuffix("/")

    def wake(self) -> None:
        self.wakes += 1

    def cancel(self) -> None:
        self.cancellations += 1

    async def readiness(self) -> Readiness:
        return Readiness(self.problems, self.trunks)

    async def put(self, path: str, body: Any, key: str = "the-key", **query: str) -> ClientResponse:
        return await self.client.put(path, json=body, params=query, headers={"Authorization": f"App {key}"})

    async def post(self, path: str, body: Any, key: str = "the-key") -> ClientResponse:
        return await self.client.post(path, json=body, headers={"Authorization": f"App {key}"})

    async def get(self, path: str, key: str = "the-key", **query: str) -> ClientResponse:
        return await self.client.get(path, params=query, headers={"Authorization": f"App {key}"})

    async def sent(self, body: Any, path: str = "/tts/3/single", key: str = "the-key") -> Any:
        """The answer to a request that is accepted."""
        answer = await self.post(path, body, key)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def refused(self, body: Any, path: str = "/tts/3/single") -> dict[str, list[str]]:
        """What is wrong with each member of a request that is refused; nothing of it may be left behind."""
        answer = await self.post(path, body)
        assert answer.status == 400, await answer.text()
        exception = (await answer.json())["requestError"]["serviceException"]
        assert exception["messageId"] == "BAD_REQUEST"
        assert exception["text"]
        await self.nothing_is_left_behind()
        problems: dict[str, list[str]] = exception["validationErrors"]
        return problems

    async def nothing_is_left_behind(self) -> None:
        assert await claims.ask(self.store, datetime.now(UTC)) == Claims([])
        assert self.wakes == 0

    async def dial(self, later: timedelta = timedelta()) -> list[Claim]:
        """Claims everything that is due, as the dialer would."""
        now = datetime.now(UTC) + timedelta(seconds=1) + later
        return await claims.claim(self.store, now)

    async def finish(self, claim: Claim) -> Attempt:
        """Ends a call that was answered and heard 3.2 s of speech."""
        start = claim.attempt.dialled_at
        attempt = replace(
            claim.attempt,
            ringing_at=start + timedelta(seconds=1),
            answered_at=start + timedelta(seconds=3),
            ended_at=start + timedelta(seconds=6.2),
            cause=16,
            sip_status=200,
            hung_up_by="caller",
            status_id=5,
            error_id=5000,
            spoken=[Spoken(start + timedelta(seconds=3), "espeak-ng", "en", 3.2, False)],
        )
        assert attempt.ended_at is not None
        await self.store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=attempt.ended_at)
        return attempt

    async def finish_all(self) -> None:
        for claim in await self.dial():
            await self.finish(claim)


@pytest.fixture
async def desk(tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    store = Store(database_url)
    desk = Desk(store, tmp_path)
    await desk.speech.start()
    async with desk.client:
        yield desk
    await desk.speech.close()
    await store.close()


@pytest.fixture
def voice(desk: Desk) -> Iterator[Callable[..., Any]]:
    """Calls a method of the client beside the event loop, which serves it."""
    yield from _voice(desk, "the-key")


@pytest.fixture
def stranger(desk: Desk) -> Iterator[Callable[..., Any]]:
    yield from _voice(desk, "a-wrong-key")


def _voice(desk: Desk, key: str) -> Iterator[Callable[..., Any]]:
    configuration = Configuration(host=desk.url, api_key=key)
    client = ApiClient(configuration)
    api = VoiceApi(client)
    yield lambda method, *args, **kwargs: asyncio.to_thread(getattr(api, method), *args, **kwargs)
    client.rest_client.pool_manager.clear()
