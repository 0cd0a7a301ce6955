"""Call detailed records: what came of each attempt (``docs/reference/cdr.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from bridge.messages.attempt import Attempt
from bridge.messages.recording import RecordingState
from bridge.reports.members import (
    ErrorMembers,
    StatusMembers,
    WireTime,
    call_seconds,
    error_members,
    optional_time,
    recording_url,
    status_members,
    wire_time,
)


class CdrLeg(TypedDict):
    """A trunk that was tried before the attempt's own, and did not take the call: no telephone rang."""

    trunk: str
    sentFrom: str | None
    sentTo: str | None
    dialledAt: WireTime
    endedAt: WireTime
    cause: int
    sipStatus: int | None


class CdrSpoken(TypedDict):
    """Something that was played: by which engine and voice, its length, and whether it had been made before."""

    at: WireTime
    engine: str
    voice: str
    seconds: float
    cached: bool


class CdrInput(TypedDict):
    """Keys that were entered, and what they chose."""

    at: WireTime
    keys: str
    action: str | None
    actionGroups: list[str]


class CdrCollected(TypedDict):
    """A variable that the script collected for the report."""

    variable: str
    keys: str
    meaning: str | None


class CdrTransfer(TypedDict):
    """Telephones that were called to be joined with the callee; ``number`` answered."""

    numbers: list[str]
    sentFrom: str | None
    sentTo: list[str]
    dialledAt: WireTime
    result: str
    number: str | None
    answeredAt: WireTime | None
    seconds: float


class CdrRecording(TypedDict):
    """What was recorded, and where it is when there is something to be heard."""

    id: str
    kind: Literal["call", "action"]
    groupId: str | None
    state: RecordingState
    recordedAt: WireTime
    seconds: float | None
    bytes: int | None
    url: str | None


Cdr = TypedDict(
    "Cdr",
    {
        "attempt": int,
        "attemptId": str,
        "node": str,
        "asterisk": str,
        "trunk": str,
        "refused": list[CdrLeg],
        "from": str | None,
        "to": str,
        "sentFrom": str | None,
        "sentTo": str | None,
        "queuedAt": WireTime,
        "dialledAt": WireTime,
        "ringingAt": WireTime | None,
        "answeredAt": WireTime | None,
        "endedAt": WireTime | None,
        "ringSeconds": float | None,
        "callSeconds": float | None,
        "billableSeconds": int,
        "cause": int | None,
        "sipStatus": int | None,
        "hungUpBy": str | None,
        "answeredBy": str | None,
        "answeredByReason": str | None,
        "status": StatusMembers | None,
        "error": ErrorMembers | None,
        "spoken": list[CdrSpoken],
        "inputs": list[CdrInput],
        "collected": list[CdrCollected],
        "transfers": list[CdrTransfer],
        "limitReached": str | None,
        "recordings": list[CdrRecording],
    },
)
"""One attempt, finished or not: what is not known yet, or never was, is null.

``refused`` are the trunks that were tried before ``trunk``. Times carry milliseconds. ``ringSeconds`` runs from the
first ringing to the answer or the end, ``callSeconds`` from the answer to the end; ``billableSeconds`` is the latter in
begun seconds. ``cause`` is ITU-T Q.850, ``sipStatus`` the final status of RFC 3261.
"""


def cdr(attempt: Attempt, at: str = "") -> Cdr:
    """The CDR of an attempt; ``at`` is the address of the API, without a slash at its end, as the reader knows it."""
    return {
        "attempt": attempt.number,
        "attemptId": attempt.id,
        "node": attempt.node,
        "asterisk": attempt.asterisk,
        "trunk": attempt.trunk,
        "refused": [
            {
                "trunk": leg.trunk,
                "sentFrom": leg.sent_from,
                "sentTo": leg.sent_to,
                "dialledAt": wire_time(leg.dialled_at),
                "endedAt": wire_time(leg.ended_at),
                "cause": leg.cause,
                "sipStatus": leg.sip_status,
            }
            for leg in attempt.refused
        ],
        "from": attempt.sender,
        "to": attempt.to,
        "sentFrom": attempt.sent_from,
        "sentTo": attempt.sent_to,
        "queuedAt": wire_time(attempt.queued_at),
        "dialledAt": wire_time(attempt.dialled_at),
        "ringingAt": optional_time(attempt.ringing_at),
        "answeredAt": optional_time(attempt.answered_at),
        "endedAt": optional_time(attempt.ended_at),
        "ringSeconds": _seconds(attempt.ringing_at, attempt.answered_at or attempt.ended_at),
        "callSeconds": _seconds(attempt.answered_at, attempt.ended_at),
        "billableSeconds": call_seconds(attempt),
        "cause": attempt.cause,
        "sipStatus": attempt.sip_status,
        "hungUpBy": attempt.hung_up_by,
        "answeredBy": attempt.answered_by,
        "answeredByReason": attempt.answered_by_reason,
        "status": None if attempt.status_id is None else status_members(attempt.status_id),
        "error": None if attempt.error_id is None else error_members(attempt.error_id),
        "spoken": [
            {
                "at": wire_time(spoken.at),
                "engine": spoken.engine,
                "voice": spoken.voice,
                "seconds": round(spoken.seconds, 3),
                "cached": spoken.cached,
            }
            for spoken in attempt.spoken
        ],
        "inputs": [
            {
                "at": wire_time(entered.at),
                "keys": entered.keys,
                "action": entered.action,
                "actionGroups": entered.groups,
            }
            for entered in attempt.inputs
        ],
        "collected": [
            {"variable": collected.variable, "keys": collected.keys, "meaning": collected.meaning}
            for collected in attempt.collected
        ],
        "transfers": [
            {
                "numbers": transfer.numbers,
                "sentFrom": transfer.sent_from or attempt.sent_from,
                "sentTo": transfer.sent_numbers,
                "dialledAt": wire_time(transfer.dialled_at),
                "result": transfer.result,
                "number": transfer.number,
                "answeredAt": optional_time(transfer.answered_at),
                "seconds": round(transfer.seconds, 3),
            }
            for transfer in attempt.transfers
        ],
        "limitReached": attempt.limit_reached,
        "recordings": [
            {
                "id": recording.id,
                "kind": recording.kind,
                "groupId": recording.pointer,
                "state": recording.state,
                "recordedAt": wire_time(recording.recorded_at),
                "seconds": None if recording.seconds is None else round(recording.seconds, 3),
                "bytes": recording.size,
                "url": recording_url(recording, at),
            }
            for recording in attempt.recordings
        ],
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)
