"""Members of a query string: how each is read, refused, and described in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from aiohttp import web

from bridge.api.http.errors import BadRequest
from bridge.api.http.times import parse_time

_Value = TypeVar("_Value")

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
TRUTH: Schema = {"type": "boolean"}

_HIGHEST_PAGE = 1_000_000


class QueryMember(Protocol):
    """A member as the OpenAPI document describes it."""

    @property
    def name(self) -> str: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def is_required(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Optional(Generic[_Value]):
    """A member that may be missing; ``parse`` makes a value of its text, or raises ValueError with what is wrong."""

    name: str
    parse: Callable[[str], _Value]
    schema: Schema = field(default_factory=lambda: _TEXT)
    is_required: ClassVar[bool] = False

    def of(self, request: web.Request) -> _Value | None:
        """None when it is missing or empty. Raises BadRequest."""
        text = request.query.get(self.name)
        if not text:
            return None
        try:
            return self.parse(text)
        except ValueError as error:
            raise _refused(self.name, str(error)) from error


@dataclass(frozen=True, slots=True)
class Required:
    """A text that must be there."""

    name: str
    schema: ClassVar[Schema] = _TEXT
    is_required: ClassVar[bool] = True

    def of(self, request: web.Request) -> str:
        """Raises BadRequest."""
        text = request.query.get(self.name)
        if not text:
            raise _refused(self.name, "is required")
        return text


@dataclass(frozen=True, slots=True)
class Several:
    """Any number of texts."""

    name: str
    schema: ClassVar[Schema] = {"type": "array", "items": _TEXT}
    is_required: ClassVar[bool] = False

    def of(self, request: web.Request) -> list[str]:
        """Empty when it is missing."""
        return request.query.getall(self.name, [])


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number, ``usual`` when it is missing; one above ``highest`` counts as ``highest``."""

    name: str
    usual: int
    lowest: int = 1
    highest: int = _HIGHEST_PAGE
    is_required: ClassVar[bool] = False

    @property
    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.lowest}

    def of(self, request: web.Request) -> int:
        """Raises BadRequest."""
        text = request.query.get(self.name, "") or str(self.usual)
        if not (text.isascii() and text.isdigit()) or int(text[:9]) < self.lowest:
            raise _refused(self.name, f"must be a number from {self.lowest} on")
        return min(int(text[:9]), self.highest)


LIMIT = WholeNumber("limit", 50, highest=1000)
"""How many results are wanted at most."""


def moment(text: str) -> datetime:
    """A time with or without an offset; a ``+`` that was not encoded has become a space."""
    return parse_time(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)


def day(text: str) -> datetime:
    """The beginning, in UTC, of a day such as ``2026-11-23``; a time of day behind it is ignored."""
    try:
        named = date.fromisoformat(text[:10])
    except ValueError as error:
        raise ValueError("must be a day such as 2030-01-01") from error
    return datetime(named.year, named.month, named.day, tzinfo=UTC)


def truth(text: str) -> bool:
    """``true`` or ``false``."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ValueError("must be true or false")


def _refused(name: str, text: str) -> BadRequest:
    return BadRequest("the query breaks a rule", {name: [text]})
