"""What a request can be refused with, and the body that says so (wire contract, section 5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bridge.base.errors import VoicebridgeError

MOST_PROBLEMS = 100
"""Problems told at once: a body of thousands of bad numbers would be answered by megabytes."""

Problems = Mapping[str, Sequence[str]]
"""What is wrong with each member of a request, by its path: ``messages[1].destinations[0].to``."""


class Refused(VoicebridgeError):
    """A request is refused; ``http_status`` is the answer's status."""

    http_status: ClassVar[int]
    quotes_callers: ClassVar[bool] = True

    def __init__(self, text: str, problems: Problems | None = None) -> None:
        super().__init__(text)
        self.problems = problems


class BadRequest(Refused):
    """The request breaks a rule; ``problems`` names the members at fault."""

    id: ClassVar[str] = "BAD_REQUEST"
    http_status: ClassVar[int] = 400


class Unauthorized(Refused):
    """The request has no valid credentials."""

    id: ClassVar[str] = "UNAUTHORIZED"
    http_status: ClassVar[int] = 401


class NotFound(Refused):
    """There is no such thing, or it belongs to another account."""

    id: ClassVar[str] = "NOT_FOUND"
    http_status: ClassVar[int] = 404


class DuplicateRefused(Refused):
    """A bulkId or messageId was used before."""

    id: ClassVar[str] = "DUPLICATE_ID"
    http_status: ClassVar[int] = 409


class BulkOverRefused(Refused):
    """Nothing of a bulk waits any more, so that nothing can be changed."""

    id: ClassVar[str] = "BULK_OVER"
    http_status: ClassVar[int] = 409


class CallNotFinished(Refused):
    """There is no CDR of a call before it is over."""

    id: ClassVar[str] = "CALL_NOT_FINISHED"
    http_status: ClassVar[int] = 409


class RecordingElsewhere(Refused):
    """The recording is still on the disk of the node that made the call."""

    id: ClassVar[str] = "RECORDING_ELSEWHERE"
    http_status: ClassVar[int] = 503


def error_body(message_id: str, text: str, problems: Problems | None = None) -> dict[str, Any]:
    """The body of every answer that is not a success."""
    exception: dict[str, Any] = {"messageId": message_id, "text": text}
    if problems:
        exception["validationErrors"] = {path: list(texts) for path, texts in problems.items()}
    return {"requestError": {"serviceException": exception}}
