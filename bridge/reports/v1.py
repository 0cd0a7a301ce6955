"""The flat delivery report, version 1 (``docs/reference/api.md``)."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from bridge.messages.attempt import Attempt
from bridge.messages.message import Content
from bridge.messages.progress import Report
from bridge.messages.recording import RecordingState
from bridge.reports.members import (
    ErrorMembers,
    PriceMembers,
    StatusMembers,
    WireTime,
    call_recording,
    call_recording_url,
    call_seconds,
    call_times,
    collected_keys,
    entered_keys,
    error_members,
    price_members,
    recording_state,
    spoken_seconds,
    status_members,
    wire_time,
)

ReportV1 = TypedDict(
    "ReportV1",
    {
        "bulkId": str,
        "messageId": str,
        "from": str | None,
        "to": str,
        "sentAt": WireTime,
        "doneAt": WireTime,
        "startTime": WireTime | None,
        "answerTime": WireTime | None,
        "endTime": WireTime | None,
        "duration": int,
        "fileDuration": float,
        "mccMnc": None,
        "callbackData": str | None,
        "dtmfCodes": str,
        "dtmfCodesAsJson": NotRequired[str | None],
        "scenarioId": NotRequired[str],
        "scenarioName": NotRequired[str],
        "recordedAudioFileUrl": str | None,
        "recordingState": NotRequired[RecordingState],
        "price": PriceMembers,
        "status": StatusMembers,
        "error": ErrorMembers,
    },
)
"""A report as ``GET /tts/3/reports`` and pushes of version 1 write it.

``dtmfCodes`` is "" without a key. The members of a scenario are there for an IVR message alone.
"""


class _ScenarioMembers(TypedDict, total=False):
    dtmfCodesAsJson: str | None
    scenarioId: str
    scenarioName: str


def report_v1(report: Report, at: str = "") -> ReportV1:
    """The report of a message.

    ``at`` is the address of the API, without a slash at its end, as whoever reads the report knows it.
    """
    message, attempt = report.message, report.attempt
    recording = call_recording(attempt)
    return {
        "bulkId": report.bulk_id,
        "messageId": message.id,
        "from": message.sender,
        "to": message.to,
        "sentAt": wire_time(report.sent_at),
        "doneAt": wire_time(report.done_at),
        **call_times(attempt),
        "duration": call_seconds(attempt),
        "fileDuration": spoken_seconds(attempt),
        "mccMnc": None,
        "callbackData": message.content.callback_data,
        "dtmfCodes": entered_keys(attempt),
        **_scenario(message.content, attempt),
        "recordedAudioFileUrl": call_recording_url(message, at) if recording and recording.has_file else None,
        **recording_state(recording),
        "price": price_members(),
        "status": status_members(report.status_id),
        "error": error_members(report.error_id),
    }


def _scenario(content: Content, attempt: Attempt | None) -> _ScenarioMembers:
    if content.launch is None:
        return {}
    return {
        "dtmfCodesAsJson": collected_keys(attempt),
        "scenarioId": content.launch.scenario_id,
        "scenarioName": content.launch.scenario_name,
    }
