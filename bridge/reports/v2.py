"""The nested delivery report, version 2 (``docs/reference/api.md``)."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from bridge.messages.attempt import Attempt
from bridge.messages.message import Content, Feature
from bridge.messages.progress import Report
from bridge.messages.recording import RecordingState
from bridge.reports.members import (
    ErrorMembers,
    PriceMembers,
    StatusMembers,
    WireTime,
    call_recording,
    call_seconds,
    call_times,
    collected_keys,
    collected_meanings,
    entered_keys,
    error_members,
    price_members,
    recording_state,
    spoken_seconds,
    status_members,
    wire_time,
)

_AnsweredBy = Literal["HUMAN", "MACHINE"]
_FeatureName = Literal["Text-to-Speech", "Voice-message", "IVR", "Click-to-call"]

_ANSWERED_BY: dict[str, _AnsweredBy] = {"human": "HUMAN", "machine": "MACHINE"}
_FEATURES: dict[Feature, _FeatureName] = {"ivr": "IVR", "click-to-call": "Click-to-call"}


class IvrMembers(TypedDict):
    """The scenario of an IVR message, and what it collected, as JSON in strings."""

    scenarioId: str
    scenarioName: str
    collectedDtmfs: str | None
    collectedMappedDtmfs: str | None
    spokenInput: None
    matchedSpokenInput: None


class VoiceCallMembers(TypedDict):
    """The call that a report tells of; ``dtmfCodes`` is null without a key."""

    feature: _FeatureName
    startTime: WireTime | None
    answerTime: WireTime | None
    endTime: WireTime | None
    duration: int
    chargedDuration: int
    fileDuration: float
    dtmfCodes: str | None
    answeredBy: _AnsweredBy | None
    callRecordingFileId: str | None
    recordingState: NotRequired[RecordingState]
    direction: Literal["OUTBOUND"]
    ivr: IvrMembers | None


ReportV2 = TypedDict(
    "ReportV2",
    {
        "bulkId": str,
        "messageId": str,
        "from": str | None,
        "to": str,
        "sentAt": WireTime,
        "mccMnc": None,
        "callbackData": str | None,
        "voiceCall": VoiceCallMembers,
        "price": PriceMembers,
        "status": StatusMembers,
        "error": ErrorMembers,
    },
)
"""A report as ``GET /voice/1/reports`` and pushes of version 2 write it."""


def report_v2(report: Report) -> ReportV2:
    """The report of a message."""
    message = report.message
    return {
        "bulkId": report.bulk_id,
        "messageId": message.id,
        "from": message.sender,
        "to": message.to,
        "sentAt": wire_time(report.sent_at),
        "mccMnc": None,
        "callbackData": message.content.callback_data,
        "voiceCall": _voice_call(message.content, report.attempt),
        "price": price_members(),
        "status": status_members(report.status_id),
        "error": error_members(report.error_id),
    }


def _voice_call(content: Content, attempt: Attempt | None) -> VoiceCallMembers:
    seconds, recording = call_seconds(attempt), call_recording(attempt)
    answered_by = None if attempt is None or attempt.answered_by is None else attempt.answered_by
    return {
        "feature": _feature(content),
        **call_times(attempt),
        "duration": seconds,
        "chargedDuration": seconds,
        "fileDuration": spoken_seconds(attempt),
        "dtmfCodes": entered_keys(attempt) or None,
        "answeredBy": None if answered_by is None else _ANSWERED_BY.get(answered_by),
        "callRecordingFileId": recording.id if recording and recording.has_file else None,
        **recording_state(recording),
        "direction": "OUTBOUND",
        "ivr": _ivr(content, attempt),
    }


def _ivr(content: Content, attempt: Attempt | None) -> IvrMembers | None:
    if content.launch is None:
        return None
    return {
        "scenarioId": content.launch.scenario_id,
        "scenarioName": content.launch.scenario_name,
        "collectedDtmfs": collected_keys(attempt),
        "collectedMappedDtmfs": collected_meanings(attempt),
        "spokenInput": None,
        "matchedSpokenInput": None,
    }


def _feature(content: Content) -> _FeatureName:
    if content.feature == "voice-message":
        return "Voice-message" if content.text is None else "Text-to-Speech"
    return _FEATURES[content.feature]
