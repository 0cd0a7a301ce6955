"""What the API promises beyond a plain call, on real calls: retries, schedules, speeds, audio files, pushes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from tests.e2e.running_lab import WEBHOOK_SECRET, RunningLab, until_is
from tests.e2e.test_calls import cdr_of, reports


async def place(api: ClientSession, number: str, **members: Any) -> str:
    """POST one fully featured message; return its token."""
    message = {"from": "41790000000", "destinations": [{"to": number}], **members}
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        assert response.status == 200, await response.text()
        body = await response.json()
    token: str = body["messages"][0]["token"]
    return token


class Host:
    """A web server of the application's: it has audio files, and takes reports."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pushed: list[tuple[web.BaseRequest, bytes]] = []
        self.files: dict[str, bytes] = {}
        self.refuse_first_push = False
        app = web.Application()
        app.router.add_get("/audio/{name}", self._file)
        app.router.add_post("/reports", self._report)
        self.server = TestServer(app)

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked.append(f"{request.method} {name}")
        if name not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[name])

    async def _report(self, request: web.Request) -> web.Response:
        self.pushed.append((request, await request.read()))
        return web.Response(status=200)

    async def push_of(self, token: str) -> tuple[web.BaseRequest, bytes]:
        async def found() -> tuple[web.BaseRequest, bytes] | None:
            return next((push for push in self.pushed if token.encode() in push[1]), None)

        return await until_is(found)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    await host.server.start_server()
    yield host
    await host.server.close()


def tone(folder: Path, name: str) -> bytes:
    """Two seconds of a tone in the format that the name says."""
    file = folder / name
    source = ["-f", "lavfi", "-i", "sine=frequency=700:duration=2"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(file)], check=True, stdin=subprocess.DEVNULL)
    return file.read_bytes()


@pytest.mark.parametrize("name", ["tone.mp3", "tone.wav", "tone.ogg", "tone.m4a"])
async def test_an_audio_file_is_heard(
    lab: RunningLab, api: ClientSession, host: Host, tmp_path: Path, name: str
) -> None:
    number = f"99900400{len(name)}{ord(name[5])}{ord(name[7])}"
    host.files[name] = await asyncio.to_thread(tone, tmp_path, name)
    cdr = await cdr_of(api, await place(api, number, audioFileUrl=host.url(f"/audio/{name}")))
    assert cdr["error"]["name"] == "VOICE_ANSWERED"
    assert abs(len(await lab.heard(number)) - 16_000) < 4_000


async def test_a_bulk_fetches_its_audio_once(api: ClientSession, host: Host, tmp_path: Path) -> None:
    host.files["once.mp3"] = await asyncio.to_thread(tone, tmp_path, "once.mp3")
    message = {
        "destinations": [{"to": f"9990041{n}"} for n in range(5)],
        "audioFileUrl": host.url("/audio/once.mp3"),
    }
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        sent = (await response.json())["messages"]
    for one in sent:
        assert (await cdr_of(api, one["token"]))["error"]["name"] == "VOICE_ANSWERED"
    assert [asked for asked in host.asked if asked.startswith("GET")] == ["GET once.mp3"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "EC_VOICE_ERROR_DOWNLOADING_FILE"),
        (b"x" * 5_000_000, "EC_VOICE_ERROR_DOWNLOADING_FILE"),
        (b"This is no audio at all. " * 100, "EC_VOICE_ERROR_UNSUPPORTED_AUDIO_FORMAT"),
    ],
)
async def test_an_audio_file_that_cannot_be_played_is_never_a_silent_call(
    lab: RunningLab, api: ClientSession, host: Host, content: bytes | None, error: str
) -> None:
    number = f"99900420{len(content or b'')}"
    if content is not None:
        host.files["bad"] = content
    cdr = await cdr_of(api, await place(api, number, audioFileUrl=host.url("/audio/bad")))
    assert cdr["error"]["name"] == error
    assert lab.calls(number) == []


async def test_a_busy_telephone_is_called_again_after_the_first_period(lab: RunningLab, api: ClientSession) -> None:
    token = await place(
        api, "9990143", text="Nobody hears this.", retry={"minPeriod": 1, "maxPeriod": 2, "maxCount": 1}
    )
    cdr = await cdr_of(api, token, 100)
    first, second = cdr["attempts"]
    ended, dialled = (datetime.fromisoformat(time) for time in (first["endedAt"], second["dialledAt"]))
    assert timedelta(seconds=60) <= dialled - ended < timedelta(seconds=75)
    assert [attempt["error"]["name"] for attempt in cdr["attempts"]] == ["EC_VOICE_USER_BUSY"] * 2
    assert len(await reports(api, messageId=token)) == 1
    await lab.until(lambda: len(lab.calls("9990143")) == 2)


async def test_a_message_waits_for_its_time(api: ClientSession) -> None:
    send_at = datetime.now(UTC) + timedelta(seconds=4)
    cdr = await cdr_of(api, await place(api, "9990044", text="Good evening.", sendAt=send_at.isoformat()))
    dialled = datetime.fromisoformat(cdr["attempts"][0]["dialledAt"])
    assert timedelta(milliseconds=-10) <= dialled - send_at < timedelta(seconds=10)


async def test_a_closed_window_is_never_dialled(lab: RunningLab, api: ClientSession) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%A").upper()
    token = await place(api, "9990045", text="Good day.", deliveryTimeWindow={"days": [tomorrow]})
    # A later message of the same account is through while this one still waits.
    await cdr_of(api, await place(api, "9990046", text="Good day."))
    async with api.get(f"/voice/1/calls/{token}") as response:
        waiting = await response.json()
    assert (waiting["state"], waiting["status"]["name"]) == ("queued", "PENDING_TIME_VIOLATION")
    assert lab.calls("9990045") == []


async def test_destinations_are_called_at_the_speed_that_was_asked_for(api: ClientSession) -> None:
    message = {
        "destinations": [{"to": f"9990047{n}"} for n in range(4)],
        "text": "One by one.",
        "sendingSpeed": {"speed": 1, "timeUnit": "second"},
    }
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        sent = (await response.json())["messages"]
    cdrs = [await cdr_of(api, one["token"]) for one in sent]
    dialled = [datetime.fromisoformat(cdr["attempts"][0]["dialledAt"]) for cdr in cdrs]
    assert dialled == sorted(dialled)
    assert 2 < (dialled[-1] - dialled[0]).total_seconds() < 10


async def test_a_report_is_pushed_signed_and_not_offered_for_pull(api: ClientSession, host: Host) -> None:
    token = await place(
        api, "9990048", text="Good day.", notifyUrl=host.url("/reports"), callbackData="mine", notifyContentVersion=2
    )
    request, body = await host.push_of(token)
    assert request.content_type == "application/json"
    assert b'"callbackData": "mine"' in body or b'"callbackData":"mine"' in body
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + body
    secret = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{signature}"
    assert await reports(api, messageId=token) == []
    assert len([push for push in host.pushed if token.encode() in push[1]]) == 1


async def test_a_recording_is_fetched_from_where_the_pushed_report_says(
    lab: RunningLab, api: ClientSession, host: Host
) -> None:
    token = await place(
        api, "9990050", text="Good day.", record=True, notifyUrl=host.url("/reports"), notifyContentVersion=1
    )
    _, body = await host.push_of(token)
    (report,) = json.loads(body)["results"]
    async with (
        ClientSession(headers=lab.headers) as application,
        application.get(report["recordedAudioFileUrl"]) as got,
    ):
        assert (got.status, got.content_type) == (200, "audio/wav")
        assert len(await got.read()) > 8_000


async def test_a_report_is_pushed_as_xml_in_its_first_version(api: ClientSession, host: Host) -> None:
    token = await place(
        api,
        "9990149",
        text="Nobody hears this.",
        notifyUrl=host.url("/reports"),
        notifyContentType="application/xml",
        notifyContentVersion=1,
    )
    request, body = await host.push_of(token)
    assert request.content_type == "application/xml"
    assert token in [element.text for element in ElementTree.fromstring(body).iter("messageId")]  # noqa: S314 - ours


async def test_click_to_call_joins_two_telephones(lab: RunningLab, api: ClientSession) -> None:
    message = {
        "from": "41790000000",
        "destinationA": "9990050001",
        "destinationB": "9992350002",
        "text": "You are being connected.",
        "maxDuration": 6,
    }
    async with api.post("/voice/ctc/1/send", json={"messages": [message]}) as response:
        assert response.status == 200, await response.text()
        token = (await response.json())["messages"][0]["messageId"]
    cdr = await cdr_of(api, token)
    assert cdr["error"]["name"] == "VOICE_ANSWERED"
    (transfer,) = cdr["attempts"][0]["transfers"]
    assert (transfer["result"], transfer["number"]) == ("answered", "9992350002")
    (prompt,) = cdr["attempts"][0]["spoken"]
    assert len(await lab.heard("9990050001")) > (prompt["seconds"] + 3) * 8000
