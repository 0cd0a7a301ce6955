"""Contents of messages, as JSON in the database: read whole, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from bridge.messages.message import Connection, Content, DeliveryTimeWindow, Launch, Notify, Retry, TimeOfDay
from bridge.messages.retry import next_attempt
from bridge.messages.windows import next_opening

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)

_T = TypeVar("_T")

# A member that a newer version has added says what to do on the call: it must not be ignored.
for _kept in (Connection, Content, DeliveryTimeWindow, Launch, Notify, Retry, TimeOfDay):
    with_config(ConfigDict(extra="forbid"))(_kept)

_content = TypeAdapter(Content)
_notify = TypeAdapter(Notify | None)
_text = TypeAdapter(str | None)

_log = structlog.get_logger(__name__)


def content_body(content: Content) -> Any:
    """A content as JSON values."""
    return _content.dump_python(content, mode="json", exclude_defaults=True)


def content_of(body: Any, message_id: str) -> Content:
    """Read what ``content_body`` returned. Raises nothing: one that cannot be read must not stop whoever reads many.

    A content that is damaged, or says something that this version does not know, is ``unreadable``. It has only what
    its report needs: ``notify`` and ``callback_data``.
    """
    try:
        content = _content.validate_python(body)
        _try_out(content)
    except Exception:  # however it is damaged
        _log.exception("content_unreadable", message=message_id)
        return _left_of(body if isinstance(body, dict) else {})
    return content


def _try_out(content: Content) -> None:
    """Compute the times that each attempt needs, to see that they can be. Raises what that raises."""
    next_opening(content.window, _SOME_TIME)
    next_attempt(content.retry, 1, _SOME_TIME)
    _SOME_TIME + timedelta(seconds=content.ring_timeout + (content.call_timeout or 0))


def _left_of(body: dict[str, Any]) -> Content:
    return Content(
        sensitive=True,  # nobody knows that it is not
        notify=_read(_notify, body.get("notify")),
        callback_data=_read(_text, body.get("callback_data")),
        unreadable=True,
    )


def _read(kept: TypeAdapter[_T | None], value: Any) -> _T | None:
    try:
        return kept.validate_python(value)
    except ValidationError:
        return None
