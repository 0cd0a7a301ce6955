"""From the bytes of a request to what it asks for, or to what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from bridge.api.errors import BadRequest, Problems
from bridge.api.members import Rules

_Model = TypeVar("_Model", bound=BaseModel)

_MOST_PROBLEMS = 100
"""Problems told at once: a body of thousands of bad numbers would be answered by megabytes."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(model: type[_Model], body: bytes, rules: Rules) -> _Model:
    """The request that a JSON body (RFC 8259, UTF-8) holds. Raises BadRequest, which names every member at fault."""
    try:
        value = from_json(body.removeprefix(_BYTE_ORDER_MARK), allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    try:
        return model.model_validate(value, context=rules)
    except ValidationError as error:
        raise BadRequest(
            "the request breaks a rule; see validationErrors",
            _problems(error.errors(include_url=False, include_input=False)),
        ) from error


def _problems(errors: list[ErrorDetails]) -> Problems:
    problems: dict[str, list[str]] = defaultdict(list)
    for error in errors[:_MOST_PROBLEMS]:
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
