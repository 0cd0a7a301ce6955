"""What is handed out as an address can be gone to by whoever gets it, and nobody else has a say in it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bridge.store import Store
from tests.integration.api.conftest import Desk
from tests.integration.api.test_api_recordings import recorded, reported

FILES = "/voice/ivr/1/files"
PUBLIC_URL = "https://voice.example/calls"


async def listed_for(desk: Desk, request: str) -> str:
    """The address of the only recording, as a client reads it that writes its request by hand."""
    assert desk.client.port
    reader, writer = await asyncio.open_connection(desk.client.host, desk.client.port)
    writer.write(f"{request}\r\nAuthorization: App the-key\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 OK" in head.splitlines()[0], answer
    url: str = json.loads(body)["files"][0]["url"]
    return url


@pytest.mark.any_database
@pytest.mark.parametrize("host", ["voice.example", "voice.example:8443", "10.1.2.3:8080", "[2001:db8::7]:8080"])
async def test_it_is_the_address_that_the_request_came_to(desk: Desk, host: str) -> None:
    _, recording = await recorded(desk, 3)
    url = await listed_for(desk, f"GET {FILES} HTTP/1.1\r\nHost: {host}")
    assert url == f"http://{host}{FILES}/{recording.id}"
    assert (await reported(desk, "/tts/3/reports"))["recordedAudioFileUrl"].startswith(f"{desk.url}/tts/3/files/")


@pytest.mark.any_database
@pytest.mark.parametrize(
    "request_",
    [
        f"GET {FILES} HTTP/1.0",
        f"GET {FILES} HTTP/1.1\r\nHost:",
        f"GET {FILES} HTTP/1.1\r\nHost: user@evil.example",
        f"GET {FILES} HTTP/1.1\r\nHost: evil.example/path?",
        f'GET {FILES} HTTP/1.1\r\nHost: "><script>',
        f"GET {FILES} HTTP/1.1\r\nHost: evil.example:port",
        f"GET {FILES} HTTP/1.1\r\nHost: {'e' * 300}",
    ],
)
async def test_a_host_that_could_not_stand_in_an_address_is_not_repeated(desk: Desk, request_: str) -> None:
    _, recording = await recorded(desk, 3)
    assert await listed_for(desk, request_) == f"{desk.url}{FILES}/{recording.id}"


@pytest.mark.any_database
async def test_what_one_client_says_is_told_to_no_other(desk: Desk) -> None:
    _, recording = await recorded(desk, 3)
    for claim in ("Host: evil.example", "Host: x\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: javascript"):
        await listed_for(desk, f"GET {FILES} HTTP/1.1\r\n{claim}")
    (file,) = (await (await desk.get(FILES)).json())["files"]
    assert file["url"] == f"{desk.url}{FILES}/{recording.id}"
    cdr = await (await desk.get("/voice/1/calls/m%201%2F2/cdr")).text()
    assert "evil" not in cdr + json.dumps(await reported(desk, "/tts/3/reports"))


@pytest.mark.any_database
async def test_the_setting_is_put_before_every_path_whatever_host_is_asked_for(
    tmp_path: Path, database_url: str
) -> None:
    store = Store(database_url)
    desk = Desk(store, tmp_path, PUBLIC_URL)
    async with desk.client:
        _, recording = await recorded(desk, 3)
        at = f"{PUBLIC_URL}{FILES}/{recording.id}"
        assert await listed_for(desk, f"GET {FILES} HTTP/1.1\r\nHost: evil.example") == at
        (attempt,) = (await (await desk.get("/voice/1/calls/m%201%2F2/cdr")).json())["attempts"]
        assert attempt["recordings"][0]["url"] == at
        report = await reported(desk, "/tts/3/reports")
        assert report["recordedAudioFileUrl"] == f"{PUBLIC_URL}/tts/3/files/m%201%2F2/41793026727"
    await desk.speech.close()
    await store.close()
