"""Parts that go away and come back, in a lab of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.e2e.running_lab import RunningLab, running_lab, until_is
from tests.e2e.test_calls import cdr_of, reports, send


@pytest.fixture
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningLab]:
    """A lab whose parts may be killed."""
    with running_lab(tmp_path_factory.mktemp("own")) as lab:
        yield lab


def end(own: RunningLab, part: str) -> None:
    pid = int(own.lab.environment()[part])
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


async def ready(api: ClientSession, status: int) -> dict[str, Any]:
    """Wait until /readyz answers with that status; return what it says."""

    async def fetch() -> dict[str, Any] | None:
        async with api.get("/readyz") as response:
            return await response.json() if response.status == status else None

    return await until_is(fetch, 60)


async def test_while_asterisk_is_down_messages_are_taken_and_called_when_it_is_back(own: RunningLab) -> None:
    async with ClientSession(own.url, headers=own.headers) as api:
        end(own, "ASTERISK_PID")
        told = await ready(api, 503)
        assert told["checks"]["asterisk"] != "ok"
        async with api.get("/healthz") as response:
            assert response.status == 200
        token = await send(api, "9990001", "Better late than never.")
        async with api.get(f"/voice/1/calls/{token}") as response:
            assert (await response.json())["state"] == "queued"
        assert own.lab.up() == ["asterisk"]
        await ready(api, 200)
        cdr = await cdr_of(api, token)
        assert cdr["error"]["name"] == "VOICE_ANSWERED"
        assert len(cdr["attempts"]) == 1
        await own.until(lambda: len(own.calls("9990001")) == 1)


async def test_calls_that_ring_when_the_daemon_is_killed_are_answered_and_hear_their_message(own: RunningLab) -> None:
    numbers = [f"9993080{n}" for n in range(3)]
    async with ClientSession(own.url, headers=own.headers) as api:
        tokens = [await send(api, number, "You hear this from the next daemon.") for number in numbers]

        async def ringing() -> bool:
            async with api.get(f"/voice/1/calls/{tokens[-1]}") as response:
                return bool((await response.json())["state"] == "ringing")

        await until_is(ringing)
    end(own, "VOICEBRIDGE_PID")
    assert own.lab.up() == ["voicebridge"]
    async with ClientSession(own.url, headers=own.headers) as api:
        for number, token in zip(numbers, tokens, strict=True):
            cdr = await cdr_of(api, token)
            assert cdr["error"]["name"] == "VOICE_ANSWERED"
            [attempt] = cdr["attempts"]
            assert len(await own.heard(number)) >= attempt["spoken"][0]["seconds"] * 8000
            assert len(await reports(api, messageId=token)) == 1
            assert len(own.calls(number)) == 1


async def test_what_is_refused_leaves_nothing_behind(own: RunningLab) -> None:
    bad: list[dict[str, Any]] = [
        {"to": "99900\r\nAction: Originate", "text": "Hello."},
        {"to": "911", "text": "Hello."},
        {"to": "99900x", "text": "Hello."},
        {"to": "999000000000000001", "text": "Hello."},
        {"to": "9990001", "text": ",,, !?"},
        {"to": "9990001", "text": ""},
        {"to": "9990001", "text": "a" * 1401},
        {"to": "9990001"},
        {"text": "Hello."},
        {"to": "9990001", "text": "Hello.", "audioFileUrl": "http://127.0.0.1/a.mp3"},
        {"to": "9990001", "text": "Hello.", "language": "tlh"},
        {"to": 9990001.5, "text": ["Hello."]},
    ]
    async with ClientSession(own.url, headers=own.headers) as api:
        for body in bad:
            async with api.post("/tts/3/single", json={"from": "41790000000", **body}) as response:
                assert response.status == 400, body
                refusal = (await response.json())["requestError"]["serviceException"]
                assert refusal["validationErrors"], body
        json_type = {"Content-Type": "application/json"}
        async with api.post("/tts/3/single", data=b'{"to": ', headers=json_type) as response:
            assert response.status == 400
        async with api.post("/tts/3/single", data=b"<to/>", headers={"Content-Type": "application/xml"}) as response:
            assert response.status == 400
        async with api.post("/tts/3/single", data=BytesIO(b" " * 11_000_000), headers=json_type) as response:
            assert response.status == 413
        async with api.post(
            "/tts/3/single", json={"to": "9990001", "text": "Hello."}, headers={"Authorization": "App wrong"}
        ) as response:
            assert response.status == 401
        # A good one at the end: when it is through, a bad one before it would be as well.
        good = await send(api, "9990003", "Hello.")
        await cdr_of(api, good)
        assert [report["messageId"] for report in await reports(api)] == [good]
        await own.until(lambda: len(own.lab.phone_calls()) == 1)
