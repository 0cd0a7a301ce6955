"""Errors of the API: why a request is refused, and the body that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NotRequired

from typing_extensions import TypedDict

from bridge.base.errors import VoicebridgeError

MOST_PROBLEMS = 100
"""Problems that one answer names: a body of thousands of bad numbers would be answered by megabytes."""

Problems = Mapping[str, Sequence[str]]
"""What is wrong with each member of a request, by its path: ``messages[1].destinations[0].to``."""


class ServiceException(TypedDict):
    """What went wrong; ``validationErrors`` says what is wrong with each member, by its path."""

    messageId: str
    text: str
    validationErrors: NotRequired[dict[str, list[str]]]


class RequestError(TypedDict):
    """The API's one kind of error."""

    serviceException: ServiceException


class ErrorAnswer(TypedDict):
    """The body of every answer that is not a success."""

    requestError: RequestError


class Refused(VoicebridgeError):
    """A request is refused; ``http_status`` is the answer's status, ``answer`` the model of its `body`."""

    http_status: ClassVar[int]
    answer: ClassVar[type[Any]] = ErrorAnswer
    quotes_callers: ClassVar[bool] = True

    def __init__(self, text: str, problems: Problems | None = None) -> None:
        super().__init__(text)
        self.problems = problems

    @property
    def body(self) -> Any:
        """What is answered."""
        return error_answer(self.id, str(self), self.problems)


class BadRequest(Refused):
    """The request breaks a rule.

    ``problems`` names the members at fault.
    """

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


class MethodNotAllowed(Refused):
    """The address does not know the method."""

    id: ClassVar[str] = "METHOD_NOT_ALLOWED"
    http_status: ClassVar[int] = 405


class RequestTooLarge(Refused):
    """The body is larger than this server takes."""

    id: ClassVar[str] = "REQUEST_TOO_LARGE"
    http_status: ClassVar[int] = 413


class ExpectationFailed(Refused):
    """Something is expected of the server that it does not do."""

    id: ClassVar[str] = "EXPECTATION_FAILED"
    http_status: ClassVar[int] = 417


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


def error_answer(message_id: str, text: str, problems: Problems | None = None) -> ErrorAnswer:
    """The body of an answer that is not a success."""
    exception: ServiceException = {"messageId": message_id, "text": text}
    if problems:
        exception["validationErrors"] = {path: list(texts) for path, texts in problems.items()}
    return {"requestError": {"serviceException": exception}}
