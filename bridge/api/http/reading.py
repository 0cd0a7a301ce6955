"""Reading of request bodies: from bytes to a request model, or to what is wrong with each member."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.api.http.errors import MOST_PROBLEMS, BadRequest, Problems
from bridge.api.http.fields import Rules
from bridge.api.http.pieces import read_json
from bridge.api.http.services import SERVICES
from bridge.base.threads import LARGE

_Model = TypeVar("_Model", bound=BaseModel)
_Wanted = TypeVar("_Wanted")

_SMALL_BODY = 16_000
"""Bytes; a larger body is read beside the event loop, so that live calls do not wait for it."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


async def read_body(request: web.Request, reader: Callable[[bytes, Rules], _Wanted]) -> _Wanted:
    """What ``reader`` makes of a request's JSON body. Raises BadRequest, and what the reader raises."""
    if not _is_json(request):
        raise BadRequest(f"the content type {request.content_type} is not known; send application/json")
    body, rules = await request.read(), request.app[SERVICES].rules()
    return reader(body, rules) if len(body) <= _SMALL_BODY else await LARGE.run(reader, body, rules)


def read(model: type[_Model], body: bytes, rules: Rules) -> _Model:
    """The request that a JSON body (RFC 8259, UTF-8) holds. Raises BadRequest, which names every member at fault."""
    try:
        value = read_json(body.removeprefix(_BYTE_ORDER_MARK))
    except ValueError as error:
        raise BadRequest(f"the body cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    try:
        return model.model_validate(value, context=rules)
    except ValidationError as error:
        raise BadRequest(
            "the request breaks a rule; see validationErrors",
            _problems(error.errors(include_url=False, include_input=False)),
        ) from error


def _is_json(request: web.Request) -> bool:
    stated = "Content-Type" in request.headers
    return not stated or request.content_type == "application/json" or request.content_type.endswith("+json")


def _problems(errors: list[ErrorDetails]) -> Problems:
    problems: dict[str, list[str]] = defaultdict(list)
    for error in errors[:MOST_PROBLEMS]:
        for path in _paths(error):
            problems[path].append(_text(error))
    return problems


def _paths(error: ErrorDetails) -> list[str]:
    members = error.get("ctx", {}).get("members", ())
    place = _path(error["loc"])
    if not members:
        return [place]
    return [f"{place}.{member}" if place else member for member in members]


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def _text(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is required"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            return error["msg"]
