"""The flat delivery report, version 1 (wire contract, section 3.1)."""

from __future__ import annotations

from typing import Any

from bridge.messages.progress import Report
from bridge.reports.members import (
    call_seconds,
    call_times,
    entered_keys,
    error_members,
    price_members,
    spoken_seconds,
    status_members,
    wire_time,
)


def report_v1(report: Report) -> dict[str, Any]:
    """A report as ``GET /tts/3/reports`` and pushes of version 1 write it; ``dtmfCodes`` is "" without a key."""
    message, attempt = report.message, report.attempt
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
        "recordedAudioFileUrl": None,
        "price": price_members(),
        "status": status_members(report.status_id),
        "error": error_members(report.error_id),
    }
