"""Verbs of a scenario on a real call: what an application is told, and what it gives back to be played."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, FormData, web

from tests.e2e.interactive import attempt_of, called, inputs_of
from tests.e2e.test_recording import launch
from tests.e2e.test_transfers import TALKER

SLOW_SECONDS = 15.0


@dataclass
class Application:
    """What the caller of the API runs: takes requests, and has a file to be played."""

    url: str = ""
    heard: list[tuple[str, str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.heard.append((request.method, request.path_qs, await request.text()))
        if request.path == "/slow":
            await asyncio.sleep(SLOW_SECONDS)
        if request.path == "/broken":
            return web.Response(status=500, text="{not json")
        return web.json_response({"name": "Ada", "open": 2, "nested": {"is": "left out"}})

    async def sound(self, _request: web.Request) -> web.Response:
        return web.Response(body=tone(1.0), content_type="audio/wav")


def tone(seconds: float) -> bytes:
    """A WAV file of 440 Hz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(
            (8000 * np.sin(np.arange(int(8000 * seconds)) * 440 * 2 * np.pi / 8000)).astype("<i2").tobytes()
        )
    return file.getvalue()


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    application = Application()
    app = web.Application()
    app.router.add_get("/tone.wav", application.sound)
    app.router.add_route("*", "/{path}", application.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    application.url = site.name
    yield application
    await runner.cleanup()


async def test_a_group_tells_the_application_and_the_call_does_not_wait(
    api: ClientSession, application: Application
) -> None:
    verbs = [
        {"request": f"{application.url}/slow?to=${{to}}", "options": {"method": "POST", "body": "key 1"}},
        {"say": "Done."},
        "hangup",
    ]
    members = {"actions": [{"if": "dtmf", "equals": "1", "actionGroup": "tell"}], "actionGroups": {"tell": verbs}}
    attempt = await called(api, "999110199081", "Press one, and we shall tell them all about it.", **members)
    assert inputs_of(attempt) == [("1", "dtmf", ["tell"])]
    assert application.heard == [("POST", "/slow?to=999110199081", "key 1")]
    assert attempt["callSeconds"] < SLOW_SECONDS


async def test_what_the_application_answers_is_spoken_and_decides(api: ClientSession, application: Application) -> None:
    script: list[Any] = [
        {"request": f"{application.url}/order", "options": {"collectResponse": True}},
        {"say": "Hello ${name}, status ${requestStatus}."},
        {"if": "${open > 1}", "then": [{"dial": f"{TALKER}82", "options": {"maxCallDuration": 1}}]},
        {"request": f"{application.url}/broken", "options": {"collectResponse": True}},
        {"if": "${requestStatus == 500}", "then": [{"say": "That failed."}]},
    ]
    attempt = await attempt_of(api, await launch(api, "9990082", script))
    assert [path for _, path, _ in application.heard] == ["/order", "/broken"]
    assert [transfer["result"] for transfer in attempt["transfers"]] == ["answered"]
    assert len(attempt["spoken"]) == 2


async def test_files_texts_for_text_telephones_and_pauses_are_played(
    api: ClientSession, application: Application
) -> None:
    form = FormData()
    form.add_field("file", tone(0.5), filename="tone.wav", content_type="audio/wav")
    async with api.post("/voice/ivr/1/uploads", data=form) as response:
        assert response.status == 200, await response.text()
        upload_id = (await response.json())["id"]
    script = [
        {"playFromUrl": f"{application.url}/tone.wav", "options": {"loopCount": 3}},
        {"playFromUpload": upload_id},
        {"pause": 1.5},
        {"playTty": "GA"},
    ]
    attempt = await attempt_of(api, await launch(api, "9990083", script))
    played = [each["seconds"] for each in attempt["spoken"]]
    assert played[:3] == pytest.approx([1.0] * 3, abs=0.1)
    assert played[3:5] == pytest.approx([0.5, 1.5], abs=0.1)
    assert played[5] > 1
    assert sum(played) - 0.3 < attempt["callSeconds"] < sum(played) + 3


async def test_a_file_that_does_not_come_during_the_call_is_passed_over(
    api: ClientSession, application: Application
) -> None:
    script = [
        {"request": f"{application.url}/order", "options": {"collectResponse": True}},
        {"playFromUrl": f"{application.url}/${{name}}.wav"},
        {"say": "That is all."},
    ]
    attempt = await attempt_of(api, await launch(api, "9990084", script))
    assert attempt["hungUpBy"] == "caller"
    assert len(attempt["spoken"]) == 1
