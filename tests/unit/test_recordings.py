"""What reports and CDR files say of a recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from bridge.messages.attempt import Attempt
from bridge.messages.message import Content, Launch, Message, Notify
from bridge.messages.progress import Report
from bridge.messages.recording import Recording, RecordingState, finished, new_recording
from bridge.reports.cdr_files import COLUMNS, csv_row
from bridge.reports.push import push_body
from bridge.reports.v1 import report_v1
from bridge.reports.v2 import report_v2

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MESSAGE = Message("m1", "41793026727", None, Content(text="Hello", record=True), AT, AT + timedelta(hours=1))
RECORDING = new_recording("vb-1", "call", AT)
ATTEMPT = Attempt(
    "vb-1", "m1", 1, "here", "127.0.0.1:5038", "trunk", None, "41793026727", AT, AT, answered_at=AT, ended_at=AT
)


def bytes_of(seconds: float) -> int:
    return 44 + round(seconds * 16_000)


def reported(*recordings: Recording) -> Report:
    return Report("b1", MESSAGE, 5, 5000, AT, AT, replace(ATTEMPT, recordings=list(recordings)))


@pytest.mark.parametrize(
    ("size", "state", "seconds"),
    [
        (bytes_of(60), RecordingState.AVAILABLE, 60),
        (bytes_of(59.5), RecordingState.AVAILABLE, 59.5),
        (bytes_of(59.4), RecordingState.SHORT, 59.4),
        (44, RecordingState.LOST, None),
        (0, RecordingState.LOST, None),
        (None, RecordingState.LOST, None),
    ],
)
def test_a_recording_is_judged_by_the_length_it_was_to_have(
    size: int | None, state: RecordingState, seconds: float | None
) -> None:
    over = finished(RECORDING, size, expected_seconds=60)
    assert (over.state, over.seconds) == (state, seconds)


def test_only_the_recording_of_the_whole_call_is_the_calls_recording() -> None:
    action = finished(new_recording("vb-1", "action", AT, "#/script/1"), bytes_of(5), 5)
    assert report_v1(reported(action))["recordedAudioFileUrl"] is None
    whole = finished(RECORDING, bytes_of(5), 5)
    assert report_v1(reported(action, whole))["recordedAudioFileUrl"] == "/tts/3/files/m1/41793026727"
    assert report_v2(reported(action, whole))["voiceCall"]["callRecordingFileId"] == whole.id


@pytest.mark.parametrize("content_type", ["application/json", "application/xml"])
def test_a_pushed_report_says_at_which_address_its_recording_is(
    content_type: Literal["application/json", "application/xml"],
) -> None:
    whole = finished(RECORDING, bytes_of(5), 5)
    body = push_body(
        reported(whole), Notify("https://shop.example", content_type, version=1), "https://voice.example/calls"
    )
    assert b"https://voice.example/calls/tts/3/files/m1/41793026727" in body


def test_a_recording_that_was_deleted_is_not_pointed_to() -> None:
    gone = replace(finished(RECORDING, bytes_of(5), 5), state=RecordingState.DELETED)
    report = report_v1(reported(gone))
    assert (report["recordedAudioFileUrl"], report["recordingState"]) == (None, "deleted")


def test_the_days_file_has_the_recording() -> None:
    attempt = replace(ATTEMPT, recordings=[finished(RECORDING, bytes_of(5), 5)])
    row = dict(zip(COLUMNS, csv_row("acme", "b1", attempt), strict=True))
    assert (row["recordingId"], row["recordingState"], row["recordingSeconds"]) == (RECORDING.id, "available", "5.0")
    row = dict(zip(COLUMNS, csv_row("acme", "b1", ATTEMPT), strict=True))
    assert (row["recordingId"], row["recordingState"], row["recordingSeconds"]) == ("", "", "")


def test_an_ivr_call_that_collected_nothing_has_its_scenario_and_no_keys() -> None:
    message = replace(MESSAGE, content=Content(feature="ivr", launch=Launch("S1", "Survey", ["hangup"])))
    report = replace(reported(), message=message)
    assert report_v2(report)["voiceCall"]["ivr"] == {
        "scenarioId": "S1",
        "scenarioName": "Survey",
        "collectedDtmfs": None,
        "collectedMappedDtmfs": None,
        "spokenInput": None,
        "matchedSpokenInput": None,
    }
    assert (report_v1(report)["scenarioId"], report_v1(report)["dtmfCodesAsJson"]) == ("S1", None)
    assert report_v2(replace(report, attempt=None))["voiceCall"]["ivr"]["collectedDtmfs"] is None
