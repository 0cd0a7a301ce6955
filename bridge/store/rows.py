"""Reading rows as messages, attempts and progress, and the columns of attempts."""

from __future__ import annotations

from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import RowMapping, Select, select

from bridge.messages.attempt import Attempt, Collected, Input, Leg, Spoken, Transfer
from bridge.messages.message import Message
from bridge.messages.progress import Progress, State
from bridge.store.contents import content_of
from bridge.store.tables import attempts, bulks, contents, messages

_spoken = TypeAdapter(list[Spoken])
_inputs = TypeAdapter(list[Input])
_collected = TypeAdapter(list[Collected])
_transfers = TypeAdapter(list[Transfer])
_legs = TypeAdapter(list[Leg])

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")

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


def message_of(row: RowMapping) -> Message:
    return Message(
        id=row["message_id"],
        to=row["recipient"],
        sender=row["sender"],
        content=content_of(row["body"], row["message_id"]),
        send_at=row["send_at"],
        expires_at=row["expires_at"],
    )


def progress_of(row: RowMapping) -> Progress:
    return Progress(
        bulk_id=row["bulk_id"],
        account=row["account"],
        message=message_of(row),
        state=_state_of(row),
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
        spoken=_list_in(row, "spoken", _spoken),
        inputs=_list_in(row, "inputs", _inputs),
        collected=_list_in(row, "collected", _collected),
        transfers=_list_in(row, "transfers", _transfers),
        refused=_legs_of(row),
        **{name: row[name] for name in _ATTEMPT_FIELDS},
    )


def _state_of(row: RowMapping) -> State:
    try:
        return State(row["state"])
    except ValueError:  # of another version
        _log.error("state_unreadable", message=row["message_id"])
        return State.DIALLING if row["done_at"] is None else State.DONE


def _list_in(row: RowMapping, column: str, kept: TypeAdapter[list[_T]]) -> list[_T]:
    """The list in a column; empty when it cannot be read, so that the rest of the attempt can be."""
    try:
        return kept.validate_python(row[column])
    except ValidationError:
        _log.error("column_unreadable", message=row["message_id"], attempt=row["id"], column=column)
        return []


def _legs_of(row: RowMapping) -> list[Leg]:
    """The refused legs; when they cannot be read, as many unknown ones, since the present channel's name counts them.

    Unknown legs count as dialled, and may have rung, so that the attempt is never given back.
    """
    kept = row["refused"]
    unknown = Leg(row["trunk"], row["dialled_at"], row["dialled_at"], cause=0)
    return _list_in(row, "refused", _legs) or [unknown] * (len(kept) if isinstance(kept, list) else 0)


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
