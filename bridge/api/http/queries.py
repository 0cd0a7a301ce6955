"""Members of a query string: read with their types, and refused by name. Each function raises BadRequest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

from aiohttp import web

from bridge.api.http.errors import BadRequest
from bridge.api.http.times import parse_time

_Value = TypeVar("_Value")

_USUAL_LIMIT, _HIGHEST_LIMIT = 50, 1000
_HIGHEST_PAGE = 1_000_000


def optional(request: web.Request, name: str, parse: Callable[[str], _Value]) -> _Value | None:
    """What ``parse`` makes of a member; None when it is missing or empty. ``parse`` raises ValueError with a text."""
    text = request.query.get(name)
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise _refused(name, str(error)) from error


def required(request: web.Request, name: str) -> str:
    """A member that must be there."""
    text = request.query.get(name)
    if not text:
        raise _refused(name, "is required")
    return text


def limit(request: web.Request) -> int:
    """How many results are wanted at most."""
    return number(request, "limit", _USUAL_LIMIT, highest=_HIGHEST_LIMIT)


def number(request: web.Request, name: str, default: int, *, lowest: int = 1, highest: int = _HIGHEST_PAGE) -> int:
    """A whole number; one that is higher than the highest is taken for it."""
    text = request.query.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit()) or int(text[:9]) < lowest:
        raise _refused(name, f"must be a number from {lowest} on")
    return min(int(text[:9]), highest)


def moment(text: str) -> datetime:
    """A time with or without an offset; a ``+`` that was not encoded has become a space."""
    return parse_time(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)


def day(text: str) -> datetime:
    """The beginning, in UTC, of a day such as ``2026-11-23``; a time of day behind it counts for nothing."""
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
