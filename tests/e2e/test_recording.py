"""Recordings of real calls: what was spoken, what the callee said, and how long it took."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession

from bridge.messages.recording import SHORT_BY_SECONDS
from tests.e2e.interactive import SAMPLES_A_SECOND, Sounds, attempt_of, levels, place, samples
from tests.e2e.running_lab import RunningLab

TEXT = "This call is recorded, every word of it."
LOUD = 2000


async def recording_of(api: ClientSession, attempt: dict[str, Any], kind: str = "call") -> bytes:
    """The file of the attempt's only recording of that kind, through the API."""
    (recording,) = [recording for recording in attempt["recordings"] if recording["kind"] == kind]
    assert recording["state"] == "available"
    async with api.get(recording["url"]) as response:
        assert response.status == 200
        wave = await response.read()
    assert len(wave) == recording["bytes"]
    return wave


def said_by(lab: RunningLab, name: str) -> bytes:
    """What a telephone of the lab says."""
    return (lab.lab.directory / "carrier" / "speech" / name / "1.ulaw").read_bytes()


def holds(recorded: np.ndarray[Any, np.dtype[np.int16]], ulaw: bytes) -> bool:
    """Whether some loud second of the sound is in the recording, sample by sample."""
    sound = levels(ulaw)
    seconds = (sound[start : start + SAMPLES_A_SECOND] for start in range(0, len(sound) - SAMPLES_A_SECOND, 800))
    return any(second.tobytes() in recorded.tobytes() for second in seconds if np.abs(second).max() > LOUD)


@pytest.mark.parametrize("number", ["9990041", "9990741"])
async def test_the_recording_is_as_long_as_the_call_and_holds_what_was_spoken(
    lab: RunningLab, api: ClientSession, number: str
) -> None:
    """On a telephone that sends no RTP, and on one that does."""
    attempt = await attempt_of(api, await place(api, number, TEXT, record=True))
    recorded = samples(await recording_of(api, attempt))
    assert len(recorded) / SAMPLES_A_SECOND == pytest.approx(attempt["callSeconds"], abs=SHORT_BY_SECONDS)
    if number.startswith("99900"):
        assert holds(recorded, await lab.heard(number))


async def test_the_recording_holds_what_the_callee_said(lab: RunningLab, api: ClientSession) -> None:
    """The callee speaks while the call listens for keys."""
    members = {"actions": [{"if": "noDtmf", "actionGroup": "bye"}], "actionGroups": {"bye": ["hangup"]}}
    token = await place(api, "9992341", "Speak.", record=True, dtmfTimeout=6, **members)
    attempt = await attempt_of(api, token)
    recorded = samples(await recording_of(api, attempt))
    assert len(recorded) / SAMPLES_A_SECOND == pytest.approx(attempt["callSeconds"], abs=SHORT_BY_SECONDS)
    assert holds(recorded, said_by(lab, "talker"))


async def test_a_call_that_is_not_answered_has_no_recording(api: ClientSession) -> None:
    attempt = await attempt_of(api, await place(api, "9990141", TEXT, record=True))
    assert attempt["recordings"] == []


async def test_a_callee_who_hangs_up_is_recorded_to_the_end(api: ClientSession) -> None:
    attempt = await attempt_of(api, await place(api, "9990941", f"{TEXT} {TEXT}", record=True))
    recorded = samples(await recording_of(api, attempt))
    assert len(recorded) / SAMPLES_A_SECOND == pytest.approx(attempt["callSeconds"], abs=SHORT_BY_SECONDS)


async def launch(api: ClientSession, to: str, script: list[Any], **members: Any) -> str:
    """Launch an IVR scenario; return the token."""
    async with api.post("/voice/ivr/1/scenarios", json={"name": "a test", "script": script, **members}) as response:
        assert response.status == 200, await response.text()
        scenario_id = (await response.json())["id"]
    messages = [{"scenarioId": scenario_id, "from": "41790000000", "destinations": [{"to": to}]}]
    async with api.post("/voice/ivr/1/messages", json={"messages": messages}) as response:
        assert response.status == 200, await response.text()
        token: str = (await response.json())["messages"][0]["messageId"]
    return token


async def test_a_scenario_records_the_callee_and_plays_it_back(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    script = [
        {"say": "Speak."},
        {"record": 3, "options": {"beep": True, "identifier": "voice"}},
        {"playFromRecording": "voice"},
        {"say": "${recordDuration}"},
    ]
    attempt = await attempt_of(api, await launch(api, "9992342", script))
    recorded = samples(await recording_of(api, attempt, "action"))
    assert len(recorded) / SAMPLES_A_SECOND == pytest.approx(3, abs=SHORT_BY_SECONDS)
    assert holds(recorded, said_by(lab, "talker"))
    (recording,) = attempt["recordings"]
    assert recording["groupId"] == "#/script/1"
    played = [each["seconds"] for each in attempt["spoken"]]
    assert played[1] == pytest.approx(3, abs=SHORT_BY_SECONDS)


async def test_an_escape_digit_ends_the_recording_and_is_no_input(api: ClientSession) -> None:
    script = [{"record": 30, "options": {"escapeDigits": "#"}}, {"collectInto": "keys", "options": {"timeout": 2}}]
    attempt = await attempt_of(api, await launch(api, "999222192349901", script))
    recorded = samples(await recording_of(api, attempt, "action"))
    assert 1 < len(recorded) / SAMPLES_A_SECOND < 10
    assert [entered["keys"] for entered in attempt["inputs"]] == ["34"]
