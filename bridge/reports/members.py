"""Members that reports of every version, CDRs and the answers to requests share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field
from typing_extensions import TypedDict

from bridge.messages.attempt import Attempt
from bridge.messages.message import Message
from bridge.messages.recording import Recording, RecordingState
from bridge.messages.statuses import ERROR_GROUPS, STATUS_GROUPS, error, status

WireTime = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$", examples=["2018-06-25T13:38:14.730+0000"])
]
"""A moment as `wire_time` writes it."""


class StatusMembers(TypedDict):
    """A status with its group, as every answer writes it."""

    groupId: int
    groupName: str
    id: int
    name: str
    description: str


class ErrorMembers(TypedDict):
    """An error with its group, as every answer writes it."""

    groupId: int
    groupName: str
    id: int
    name: str
    description: str
    permanent: bool


class PriceMembers(TypedDict):
    """What a call cost is between the operator and its carrier: not known here."""

    pricePerSecond: float
    currency: Literal["UNKNOWN"]


class CallTimes(TypedDict):
    """Start (the telephone rang), answer and end of an answered call; all null for one that was not answered."""

    startTime: WireTime | None
    answerTime: WireTime | None
    endTime: WireTime | None


class RecordingStateMember(TypedDict, total=False):
    """What became of a recording, so that one that is lost or short is told of; nothing when there was to be none."""

    recordingState: RecordingState


def wire_time(moment: datetime) -> str:
    """``2018-06-25T13:38:14.730+0000``: UTC, milliseconds, an offset without colon (``docs/reference/api.md``)."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def optional_time(moment: datetime | None) -> str | None:
    """As `wire_time`; None stays None."""
    return None if moment is None else wire_time(moment)


def status_members(status_id: int) -> StatusMembers:
    """The members of a status, by its id."""
    known = status(status_id)
    return {
        "groupId": STATUS_GROUPS.index(known.group),
        "groupName": known.group,
        "id": known.id,
        "name": known.name,
        "description": known.description,
    }


def error_members(error_id: int) -> ErrorMembers:
    """The members of an error, by its id."""
    known = error(error_id)
    return {
        "groupId": ERROR_GROUPS.index(known.group),
        "groupName": known.group,
        "id": known.id,
        "name": known.name,
        "description": known.description,
        "permanent": known.permanent,
    }


def price_members() -> PriceMembers:
    """The price of every call."""
    return {"pricePerSecond": 0.0, "currency": "UNKNOWN"}


def call_seconds(attempt: Attempt | None) -> int:
    """Seconds from the answer to the end, rounded up; 0 for a call that was not answered."""
    if attempt is None or attempt.answered_at is None or attempt.ended_at is None:
        return 0
    return math.ceil((attempt.ended_at - attempt.answered_at).total_seconds())


def call_times(attempt: Attempt | None) -> CallTimes:
    """The times of an attempt's call."""
    if attempt is None or attempt.answered_at is None:
        return {"startTime": None, "answerTime": None, "endTime": None}
    return {
        "startTime": wire_time(attempt.ringing_at or attempt.dialled_at),
        "answerTime": wire_time(attempt.answered_at),
        "endTime": optional_time(attempt.ended_at),
    }


def spoken_seconds(attempt: Attempt | None) -> float:
    """The length of all audio that was played, in seconds."""
    return 0.0 if attempt is None else round(sum(spoken.seconds for spoken in attempt.spoken), 3)


def entered_keys(attempt: Attempt | None) -> str:
    """All inputs in their order, ``3, 9``; empty when no key was pressed."""
    return "" if attempt is None else ", ".join(entered.keys for entered in attempt.inputs if entered.keys)


def collected_keys(attempt: Attempt | None) -> str | None:
    """The variables that a script collected, with their keys, as JSON in a string; None when there are none."""
    return None if attempt is None else _json({each.variable: each.keys for each in attempt.collected})


def collected_meanings(attempt: Attempt | None) -> str | None:
    """As `collected_keys`, with what the keys mean; variables without a meaning are left out."""
    if attempt is None:
        return None
    return _json({each.variable: each.meaning for each in attempt.collected if each.meaning is not None})


def call_recording(attempt: Attempt | None) -> Recording | None:
    """The recording of the whole call, whatever became of it; None when it was not recorded."""
    recordings = [] if attempt is None else attempt.recordings
    return next((recording for recording in recordings if recording.kind == "call"), None)


def recording_state(recording: Recording | None) -> RecordingStateMember:
    """What became of the recording of a whole call."""
    return {} if recording is None else {"recordingState": recording.state}


def call_recording_url(message: Message, at: str) -> str:
    """The URL of the recording of a message's call; ``at`` is the API's address, without a slash at its end."""
    return f"{at}/tts/3/files/{quote(message.id, safe='')}/{message.to}"


def recording_url(recording: Recording, at: str) -> str | None:
    """The URL of a recording; None when there is nothing to be heard."""
    return f"{at}/voice/ivr/1/files/{recording.id}" if recording.has_file else None


def _json(variables: Mapping[str, str]) -> str | None:
    return json.dumps(variables, ensure_ascii=False, separators=(",", ":")) if variables else None
