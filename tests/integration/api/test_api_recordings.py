"""Recordings: of whole calls and of single actions, listed, fetched in whole and in part, and reported."""

from __future__ import annotations

import wave
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from bridge.messages.recording import Recording, new_recording
from bridge.store import Claim

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

CALL_SECONDS = 3.0
CALL = {"destinations": [{"to": "41793026727", "messageId": "m 1/2"}], "text": "Hello", "record": True}


def spoken(seconds: float) -> bytes:
    """PCM of 16 bits at 8 kHz."""
    return bytes(n * 7 % 256 for n in range(round(seconds * 16_000)))


def write(desk: Desk, recording: Recording, seconds: float) -> None:
    desk.recordings.folder.mkdir(exist_ok=True)
    with wave.open(str(desk.recordings.path(recording)), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(spoken(seconds))


async def recorded(
    desk: Desk, seconds: float | None, *, kind: Any = "call", pointer: str | None = None
) -> tuple[Claim, Recording]:
    """A call of 3 s that is over, and what was recorded of it."""
    await desk.sent({"messages": [CALL]}, "/tts/3/advanced")
    (claim,) = await desk.dial()
    recording = new_recording(claim.attempt.id, kind, claim.attempt.dialled_at, pointer)
    await desk.store.recordings.begin(claim.account, claim.key, recording)
    if seconds is not None:
        write(desk, recording, seconds)
    recording = await desk.recordings.finished(recording, CALL_SECONDS)
    await desk.store.recordings.finish(recording)
    await desk.finish(claim)
    return claim, recording


async def reported(desk: Desk, path: str) -> Any:
    (report,) = (await (await desk.get(path)).json())["results"]
    return report


async def test_the_recording_of_a_call_is_where_its_report_says(desk: Desk) -> None:
    await recorded(desk, CALL_SECONDS)
    report = await reported(desk, "/tts/3/reports")
    assert report["recordedAudioFileUrl"] == f"{desk.url}/tts/3/files/m%201%2F2/41793026727"
    assert report["recordingState"] == "available"
    async with ClientSession(headers={"Authorization": "App the-key"}) as anywhere:
        answer = await anywhere.get(URL(report["recordedAudioFileUrl"], encoded=True))
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        assert (await answer.read())[44:] == spoken(CALL_SECONDS)


async def test_the_nested_report_names_the_file_and_the_cdr_describes_it(desk: Desk) -> None:
    _, recording = await recorded(desk, CALL_SECONDS)
    cdr = await (await desk.get("/voice/1/calls/m%201%2F2/cdr")).json()
    assert cdr["attempts"][0]["recordings"] == [
        {
            "id": recording.id,
            "kind": "call",
            "groupId": None,
            "state": "available",
            "recordedAt": cdr["attempts"][0]["dialledAt"],
            "seconds": 3.0,
            "bytes": 48_044,
            "url": f"{desk.url}/voice/ivr/1/files/{recording.id}",
        }
    ]
    assert (await reported(desk, "/voice/1/reports"))["voiceCall"]["callRecordingFileId"] == recording.id


@pytest.mark.parametrize(("range_", "start", "stop"), [("bytes=44-143", 44, 144), ("bytes=-100", 47_944, 48_044)])
async def test_a_part_of_a_recording_may_be_asked_for(desk: Desk, range_: str, start: int, stop: int) -> None:
    _, recording = await recorded(desk, CALL_SECONDS)
    headers = {"Authorization": "App the-key", "Range": range_}
    answer = await desk.client.get(f"/voice/ivr/1/files/{recording.id}", headers=headers)
    assert (answer.status, answer.content_type) == (206, "application/octet-stream")
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/48044"
    assert await answer.read() == desk.recordings.path(recording).read_bytes()[start:stop]


async def test_a_range_beyond_the_end_is_refused(desk: Desk) -> None:
    _, recording = await recorded(desk, CALL_SECONDS)
    headers = {"Authorization": "App the-key", "Range": "bytes=99999-"}
    assert (await desk.client.get(f"/voice/ivr/1/files/{recording.id}", headers=headers)).status == 416


@pytest.mark.parametrize(
    ("seconds", "state", "status"),
    [(2.6, "available", 200), (2.4, "short", 200), (0, "lost", 404), (None, "lost", 404)],
)
async def test_a_recording_that_is_short_or_lost_is_told_of(
    desk: Desk, seconds: float | None, state: str, status: int
) -> None:
    _, recording = await recorded(desk, seconds)
    assert (await desk.get(f"/voice/ivr/1/files/{recording.id}")).status == status
    assert (await desk.get("/tts/3/files/m%201%2F2/41793026727")).status == status
    report = await reported(desk, "/voice/1/reports")
    assert report["voiceCall"]["recordingState"] == state
    assert (report["voiceCall"]["callRecordingFileId"] is None) == (status == 404)


async def test_a_call_that_was_not_recorded_has_no_recording(desk: Desk) -> None:
    await desk.sent({"to": "41793026727", "text": "Hello"})
    await desk.finish_all()
    report = await reported(desk, "/tts/3/reports")
    assert report["recordedAudioFileUrl"] is None
    assert "recordingState" not in report
    assert (await desk.get(f"/tts/3/files/{report['messageId']}/41793026727")).status == 404


async def test_a_call_that_goes_on_has_its_recording_later(desk: Desk) -> None:
    await desk.sent({"messages": [CALL]}, "/tts/3/advanced")
    (claim,) = await desk.dial()
    recording = new_recording(claim.attempt.id, "call", claim.attempt.dialled_at)
    await desk.store.recordings.begin(claim.account, claim.key, recording)
    write(desk, recording, 1)
    assert (await desk.get(f"/voice/ivr/1/files/{recording.id}")).status == 409
    assert await (await desk.get("/voice/ivr/1/files")).json() == {"files": []}


async def test_a_file_that_went_missing_is_not_found(desk: Desk) -> None:
    _, recording = await recorded(desk, CALL_SECONDS)
    desk.recordings.path(recording).unlink()
    answer = await desk.get(f"/voice/ivr/1/files/{recording.id}")
    assert answer.status == 404
    assert "lost" in (await answer.json())["requestError"]["serviceException"]["text"]


async def test_recordings_belong_to_their_account(desk: Desk) -> None:
    _, recording = await recorded(desk, CALL_SECONDS)
    for path in (f"/voice/ivr/1/files/{recording.id}", "/tts/3/files/m%201%2F2/41793026727"):
        assert (await desk.get(path, "the-other-key")).status == 404
        assert (await desk.client.get(path)).status == 401
    assert await (await desk.get("/voice/ivr/1/files", "the-other-key")).json() == {"files": []}


async def test_a_file_outside_the_folder_cannot_be_asked_for(desk: Desk) -> None:
    desk.recordings.folder.mkdir()
    secret = desk.recordings.folder.parent / "secret"
    secret.touch()
    for name in ("..%2Fsecret", "%2e%2e%2fsecret", f"{secret}".replace("/", "%2F")):
        assert (await desk.get(f"/voice/ivr/1/files/{name}")).status == 404


async def test_what_actions_recorded_is_listed_with_its_place_in_the_script(desk: Desk) -> None:
    script: list[Any] = [{"say": "Your name?"}, {"record": 5}]
    scenario = await desk.sent({"name": "Names", "script": script}, "/voice/ivr/1/scenarios")
    for number in ("41793026727", "41793026728"):
        launch = {"scenarioId": scenario["id"], "from": "12345", "destinations": [{"to": number, "messageId": number}]}
        await desk.sent({"messages": [launch]}, "/voice/ivr/1/messages")
        (claim,) = await desk.dial()
        at = claim.attempt.dialled_at + timedelta(seconds=len(number))
        recording = new_recording(claim.attempt.id, "action", at, "#/script/1")
        await desk.store.recordings.begin(claim.account, claim.key, recording)
        write(desk, recording, 1)
        await desk.store.recordings.finish(await desk.recordings.finished(recording, 1))
        await desk.finish(claim)

    async def files(**query: str) -> list[Any]:
        found: list[Any] = (await (await desk.get("/voice/ivr/1/files", **query)).json())["files"]
        return found

    newest, oldest = await files()
    assert (newest["to"], oldest["to"]) == ("41793026728", "41793026727")
    assert (oldest["scenarioId"], oldest["groupId"], oldest["from"]) == (scenario["id"], "#/script/1", "12345")
    assert oldest["url"].startswith(f"{desk.url}/voice/ivr/1/files/")
    answer = await desk.get(oldest["url"].removeprefix(desk.url))
    assert (await answer.read())[44:] == spoken(1)
    assert await files(messageId="41793026727") == await files(number="+41 79 302 67 27") == [oldest]
    assert await files(page="2", pageSize="1") == [oldest]
    assert await files(number="nobody") == []
    report = (await (await desk.get("/voice/1/reports", limit="1")).json())["results"][0]
    assert report["voiceCall"]["callRecordingFileId"] is None


async def test_a_claim_that_is_given_back_takes_its_recording_with_it(desk: Desk) -> None:
    await desk.sent({"messages": [CALL]}, "/tts/3/advanced")
    (claim,) = await desk.dial()
    recording = new_recording(claim.attempt.id, "call", claim.attempt.dialled_at)
    await desk.store.recordings.begin(claim.account, claim.key, recording)
    await desk.store.calls.release(claim.key, claim.attempt.id)
    assert (await desk.get(f"/voice/ivr/1/files/{recording.id}")).status == 404


async def test_nobody_answered_so_there_is_nothing_to_miss(desk: Desk) -> None:
    await desk.sent({"messages": [CALL]}, "/tts/3/advanced")
    (claim,) = await desk.dial()
    recording = new_recording(claim.attempt.id, "call", claim.attempt.dialled_at)
    await desk.store.recordings.begin(claim.account, claim.key, recording)
    await desk.store.recordings.forget(recording.id)
    now = claim.attempt.dialled_at
    unanswered = replace(claim.attempt, ended_at=now, status_id=15, error_id=5003)
    await desk.store.calls.finish(claim.key, unanswered, status_id=15, error_id=5003, done_at=now)
    assert "recordingState" not in await reported(desk, "/tts/3/reports")
