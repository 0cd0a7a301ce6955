"""What is on the wire between the bridge's Asterisk and the carrier."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest
from aiohttp import ClientSession

from tests.e2e.running_lab import RunningLab
from tests.e2e.test_calls import cdr_of, send
from tests.e2e.wire import capturing

pytestmark = pytest.mark.alone

MOST_SECONDS_TO_SPEECH = 0.040


async def test_speech_begins_within_40_ms_of_the_answer(lab: RunningLab, api: ClientSession, tmp_path: Path) -> None:
    with capturing(lab, tmp_path) as capture:
        for turn in range(10):
            await cdr_of(api, await send(api, f"9990080{turn}", "Good morning."))
            await lab.heard(f"9990080{turn}")
    answered: dict[str, float] = {}
    spoken: dict[str, float] = {}
    for packet in capture.packets:
        if packet.status == "200" and packet.answers == "INVITE":
            answered.setdefault(packet.call_id, packet.at)
        elif packet.is_rtp and packet.from_bridge and packet.call_id in answered:
            spoken.setdefault(packet.call_id, packet.at)
    delays = [spoken[call_id] - answered[call_id] for call_id in answered]
    assert len(delays) == 10
    assert median(delays) <= MOST_SECONDS_TO_SPEECH, delays


async def test_a_message_is_one_invite(lab: RunningLab, api: ClientSession, tmp_path: Path) -> None:
    with capturing(lab, tmp_path) as capture:
        await cdr_of(api, await send(api, "99900810", "Good morning."))
        await lab.heard("99900810")
    invites = [packet for packet in capture.packets if packet.method == "INVITE" and packet.from_bridge]
    assert len(invites) == 1


async def test_the_wire_shows_a_cancel_when_the_ring_time_is_over(
    lab: RunningLab, api: ClientSession, tmp_path: Path
) -> None:
    message = {"destinations": [{"to": "9990281"}], "text": "Nobody hears this.", "ringTimeout": 2}
    with capturing(lab, tmp_path) as capture:
        async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
            token = (await response.json())["messages"][0]["token"]
        await cdr_of(api, token)
        await lab.until(lambda: bool(lab.calls("9990281")))
    (invite,) = [packet for packet in capture.packets if packet.method == "INVITE"]
    (cancel,) = [packet for packet in capture.packets if packet.method == "CANCEL"]
    assert cancel.call_id == invite.call_id
    assert 1.5 < cancel.at - invite.at < 8
