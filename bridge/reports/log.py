"""The entry of a message in the logs (``docs/reference/api.md``)."""

from __future__ import annotations

from typing_extensions import TypedDict

from bridge.messages.attempt import Attempt
from bridge.messages.message import Content
from bridge.messages.progress import Progress
from bridge.reports.members import (
    ErrorMembers,
    PriceMembers,
    StatusMembers,
    WireTime,
    call_seconds,
    error_members,
    optional_time,
    price_members,
    status_members,
    wire_time,
)

LogEntry = TypedDict(
    "LogEntry",
    {
        "bulkId": str,
        "messageId": str,
        "to": str,
        "from": str | None,
        "text": str | None,
        "sentAt": WireTime,
        "doneAt": WireTime | None,
        "duration": int,
        "mccMnc": None,
        "price": PriceMembers,
        "status": StatusMembers,
        "error": ErrorMembers,
    },
)
"""A message as ``GET /tts/3/logs`` writes it.

``doneAt`` is null while it is not done, ``text`` when it is sensitive.
"""


def log_entry(progress: Progress, attempt: Attempt | None) -> LogEntry:
    """The entry of a message, with its latest attempt."""
    message = progress.message
    return {
        "bulkId": progress.bulk_id,
        "messageId": message.id,
        "to": message.to,
        "from": message.sender,
        "text": _text(message.content),
        "sentAt": wire_time(progress.sent_at),
        "doneAt": optional_time(progress.done_at),
        "duration": call_seconds(attempt),
        "mccMnc": None,
        "price": price_members(),
        "status": status_members(progress.status_id),
        "error": error_members(progress.error_id),
    }


def _text(content: Content) -> str | None:
    return None if content.sensitive else content.text
