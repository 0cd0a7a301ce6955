"""Members that reports of every version, CDRs and the answers to requests share."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from bridge.messages.attempt import Attempt
from bridge.messages.statuses import ERROR_GROUPS, STATUS_GROUPS, error, status


def wire_time(moment: datetime) -> str:
    """``2018-06-25T13:38:14.730+0000``: UTC, milliseconds, an offset without colon (wire contract, section 3.1)."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def optional_time(moment: datetime | None) -> str | None:
    """As `wire_time`; None stays None."""
    return None if moment is None else wire_time(moment)


def status_members(status_id: int) -> dict[str, Any]:
    """A status with its group, as every answer writes it."""
    known = status(status_id)
    return {
        "groupId": STATUS_GROUPS.index(known.group),
        "groupName": known.group,
        "id": known.id,
        "name": known.name,
        "description": known.description,
    }


def error_members(error_id: int) -> dict[str, Any]:
    """An error with its group, as every answer writes it."""
    known = error(error_id)
    return {
        "groupId": ERROR_GROUPS.index(known.group),
        "groupName": known.group,
        "id": known.id,
        "name": known.name,
        "description": known.description,
        "permanent": known.permanent,
    }


def price_members() -> dict[str, Any]:
    """What a call cost is between the operator and its carrier: not known here."""
    return {"pricePerSecond": 0.0, "currency": "UNKNOWN"}


def call_seconds(attempt: Attempt | None) -> int:
    """Seconds from the answer to the end, begun ones counted whole; 0 for a call that was not answered."""
    if attempt is None or attempt.answered_at is None or attempt.ended_at is None:
        return 0
    return math.ceil((attempt.ended_at - attempt.answered_at).total_seconds())


def call_times(attempt: Attempt | None) -> dict[str, str | None]:
    """Start (the telephone rang), answer and end of an answered call; all null for one that was not answered."""
    if attempt is None or attempt.answered_at is None:
        return {"startTime": None, "answerTime": None, "endTime": None}
    return {
        "startTime": wire_time(attempt.ringing_at or attempt.dialled_at),
        "answerTime": wire_time(attempt.answered_at),
        "endTime": optional_time(attempt.ended_at),
    }


def spoken_seconds(attempt: Attempt | None) -> float:
    """The length of all audio that was played."""
    return 0.0 if attempt is None else round(sum(spoken.seconds for spoken in attempt.spoken), 3)


def entered_keys(attempt: Attempt | None) -> str:
    """All inputs in their order, ``3, 9``; empty when no key was pressed."""
    return "" if attempt is None else ", ".join(entered.keys for entered in attempt.inputs if entered.keys)
