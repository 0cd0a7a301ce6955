"""Between rows and what they stand for."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, Select, select

from bridge.messages.attempt import Attempt, Collected, Input, Leg, Spoken, Transfer
from bridge.messages.message import Content, Message
from bridge.messages.progress import Progress, State
from bridge.store.tables import attempts, bulks, contents, messages

_content = TypeAdapter(Content)
_spoken = TypeAdapter(list[Spoken])
_inputs = TypeAdapter(list[Input])
_collected = TypeAdapter(list[Collected])
_transfers = TypeAdapter(list[Transfer])
_legs = TypeAdapter(list[Leg])

MESSAGE_COLUMNS = (
    messages.c.key,
    messages.c.id.label("message_id"),
    messages.c.recipient,
    messages.c.sender,
    messages.c.send_at,
    messages.c.expires_at,
    contents.c.body,
)
"""What `message_of` needs, besides a join with `contents`."""

_BEGUN = ("number", "node", "asterisk", "trunk", "sent_to", "sent_from", "queued_at", "dialled_at")
_OUTCOME = (
    "trunk",
    "dialled_at",
    "ringing_at",
    "answered_at",
    "ended_at",
    "cause",
    "sip_status",
    "hung_up_by",
    "answered_by",
    "answered_by_reason",
    "status_id",
    "error_id",
    "limit_reached",
)
_ATTEMPT_FIELDS = tuple(dict.fromkeys(_BEGUN + _OUTCOME))


def select_progress() -> Select[Any]:
    """Messages with their bulk and content, as `progress_of` reads them."""
    return (
        select(
            *MESSAGE_COLUMNS,
            bulks.c.id.label("bulk_id"),
            messages.c.account,
            messages.c.state,
            messages.c.attempts,
            messages.c.status_id,
            messages.c.error_id,
            messages.c.sent_at,
            messages.c.done_at,
        )
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .join(contents, contents.c.key == messages.c.content_key)
    )


def select_attempts() -> Select[Any]:
    """Attempts with what `attempt_of` needs of their message."""
    return select(
        attempts,
        messages.c.id.label("message_id"),
        messages.c.sender,
        messages.c.recipient,
    ).join(messages, messages.c.key == attempts.c.message_key)


def content_body(content: Content) -> Any:
    return _content.dump_python(content, mode="json", exclude_defaults=True)


def message_of(row: RowMapping) -> Message:
    return Message(
        id=row["message_id"],
        to=row["recipient"],
        sender=row["sender"],
        content=_content.validate_python(row["body"]),
        send_at=row["send_at"],
        expires_at=row["expires_at"],
    )


def progress_of(row: RowMapping) -> Progress:
    return Progress(
        bulk_id=row["bulk_id"],
        account=row["account"],
        message=message_of(row),
        state=State(row["state"]),
        attempts=row["attempts"],
        status_id=row["status_id"],
        error_id=row["error_id"],
        sent_at=row["sent_at"],
        done_at=row["done_at"],
    )


def attempt_of(row: RowMapping) -> Attempt:
    return Attempt(
        id=row["id"],
        message_id=row["message_id"],
        sender=row["sender"],
        to=row["recipient"],
        spoken=_spoken.validate_python(row["spoken"]),
        inputs=_inputs.validate_python(row["inputs"]),
        collected=_collected.validate_python(row["collected"]),
        transfers=_transfers.validate_python(row["transfers"]),
        refused=_legs.validate_python(row["refused"]),
        **{name: row[name] for name in _ATTEMPT_FIELDS},
    )


def begun_values(attempt: Attempt) -> dict[str, Any]:
    """The columns of an attempt that begins, without those that place it (``id``, ``message_key``)."""
    return {"spoken": [], "inputs": [], **{name: getattr(attempt, name) for name in _BEGUN}}


def outcome_values(attempt: Attempt) -> dict[str, Any]:
    """The columns of an attempt that its end fills; what its script was told is forgotten."""
    return {
        "spoken": _spoken.dump_python(attempt.spoken, mode="json"),
        "inputs": _inputs.dump_python(attempt.inputs, mode="json"),
        "collected": _collected.dump_python(attempt.collected, mode="json"),
        "transfers": _transfers.dump_python(attempt.transfers, mode="json"),
        "refused": refused_value(attempt),
        "happened": None,
        **{name: getattr(attempt, name) for name in _OUTCOME},
    }


def refused_value(attempt: Attempt) -> Any:
    """The column ``refused``."""
    return _legs.dump_python(attempt.refused, mode="json")
