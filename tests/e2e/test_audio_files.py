"""Audio files of applications, as a telephone hears them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp import ClientSession, web

from bridge.speech.sound.codec import ulaw_levels
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_calls import cdr_of
from tests.sounds import MP3, cover, pitch, sine, tag, tone, wav

FILES = {
    "cover.mp3": tag(cover(1_500_000)) + tone(2, 440, *MP3),
    "inverted.wav": wav(sine(500, 2), -sine(500, 2)),
    "silent.wav": wav(np.zeros(16_000), np.zeros(16_000)),
}


@pytest.fixture
async def files() -> AsyncIterator[str]:
    """A server that has them; where they are."""

    async def give(request: web.Request) -> web.Response:
        return web.Response(body=FILES[request.match_info["name"]])

    app = web.Application()
    app.router.add_get("/{name}", give, allow_head=False)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()


async def play(api: ClientSession, to: str, url: str) -> str:
    async with api.post("/tts/3/single", json={"to": to, "audioFileUrl": url}) as response:
        assert response.status == 200, await response.text()
        token: str = (await response.json())["messages"][0]["token"]
        return token


@pytest.mark.parametrize(("name", "hertz"), [("cover.mp3", 440), ("inverted.wav", 500)])
async def test_a_telephone_hears_it(lab: RunningLab, api: ClientSession, files: str, name: str, hertz: int) -> None:
    number = f"99900{hertz}"
    cdr = await cdr_of(api, await play(api, number, f"{files}/{name}"))
    (attempt,) = cdr["attempts"]
    assert attempt["error"]["id"] == 5000
    (spoken,) = attempt["spoken"]
    assert spoken["seconds"] == pytest.approx(2, abs=0.06 if name == "cover.mp3" else 0.0005)
    samples = ulaw_levels()[np.frombuffer(await lab.heard(number), np.uint8)].astype(np.int16)
    loud = np.flatnonzero(np.abs(samples) > 1000)
    assert loud[-1] - loud[0] > 15_000
    assert pitch(samples[loud[0] : loud[-1]]) == pytest.approx(hertz, abs=2)


async def test_nobody_is_called_to_hear_nothing(lab: RunningLab, api: ClientSession, files: str) -> None:
    cdr = await cdr_of(api, await play(api, "99900503", f"{files}/silent.wav"))
    assert cdr["attempts"][0]["error"]["id"] == 5005
    assert lab.calls("99900503") == []
