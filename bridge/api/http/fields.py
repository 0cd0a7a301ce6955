"""Types of the fields that request models are made of.

They are liberal where applications are known to differ, but never guess a type. Each refuses a value with a text for
the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError, from_json, to_json

from bridge.api.http.times import parse_time
from bridge.base.urls import url_problem
from bridge.messages.text import check_text
from bridge.speech.text.languages import language_code
from bridge.telephony.numbers import parse_number, parse_sender

MOST_DESTINATIONS = 20_000
"""Destinations of one message."""

LARGEST_SCRIPT = 1_000_000
"""Bytes of JSON; it is kept with every message that has it."""

DEFAULT_LANGUAGE = "en"

_FARTHEST_SENDING = timedelta(days=180)
_SLOWEST, _FASTEST = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request is checked against: the languages that can be spoken, and the time."""

    languages: frozenset[str]
    now: datetime


def members_at_fault(text: str, *members: str) -> PydanticCustomError:
    """The error for several members that are wrong together; the answer names each of them."""
    return PydanticCustomError("members_at_fault", "{text}", {"text": text, "members": members})


def lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def no_longer_than_a_script(value: Any) -> Any:
    if len(to_json(value)) > LARGEST_SCRIPT:
        raise ValueError(f"is longer than {LARGEST_SCRIPT} bytes of JSON")
    return value


def detection_mode(value: Any) -> Any:
    """``hangout`` is what one document of the hosted service has for ``hangup``."""
    return "hangup" if lower(value) == "hangout" else lower(value)


def empty_is_none(value: Any) -> Any:
    return None if value == "" else value


def _out_of_string(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return from_json(value, allow_inf_nan=False) if value else {}
    except ValueError as error:
        raise ValueError("must be an object") from error


def _number_list(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("["):
        value = _out_of_string(value)
    if isinstance(value, str):
        return [parse_number(value)]
    if isinstance(value, list):
        return value
    raise ValueError("must be a telephone number in a string, or a list of them")


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


def _language_code(value: Any) -> Any:
    return language_code(value) or DEFAULT_LANGUAGE if isinstance(value, str) else value


def rules_of(info: ValidationInfo) -> Rules:
    """The rules that the request is read with."""
    assert isinstance(info.context, Rules), "every request is read with its rules"
    return info.context


def _supported(language: str, info: ValidationInfo) -> str:
    languages = rules_of(info).languages
    if language not in languages:
        raise ValueError(f"is not supported; these are: {', '.join(sorted(languages))}")
    return language


def _within_reach(value: Any, info: ValidationInfo) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be a time in a string")  # noqa: TRY004  pydantic tells only ValueError to the caller
    moment = parse_time(value)
    if moment > rules_of(info).now + _FARTHEST_SENDING:
        raise ValueError(f"must be within the next {_FARTHEST_SENDING.days} days")
    return moment


def _url(url: str) -> str:
    if problem := url_problem(url):
        raise ValueError(problem)
    return url


Number = Annotated[StrictStr, AfterValidator(parse_number)]
Numbers = Annotated[list[Number], Field(min_length=1, max_length=MOST_DESTINATIONS), BeforeValidator(_number_list)]
Sender = Annotated[Annotated[StrictStr, AfterValidator(parse_sender)] | None, BeforeValidator(empty_is_none)]
Text = Annotated[StrictStr, AfterValidator(check_text)]
Language = Annotated[StrictStr, BeforeValidator(_language_code), AfterValidator(_supported)]
Rate = Annotated[StrictFloat, AfterValidator(lambda rate: min(max(rate, _SLOWEST), _FASTEST))]
Id = Annotated[StrictStr, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Url = Annotated[StrictStr, Field(max_length=2_000), AfterValidator(_url)]
Moment = Annotated[datetime, BeforeValidator(_within_reach)]
Seconds = Annotated[StrictInt, Field(ge=1, le=86_400)]
Keys = Annotated[StrictStr, Field(pattern=r"^[0-9*#A-D]{1,20}$")]


class RequestModel(BaseModel):
    """An object of a request: its members in camelCase, unknown ones ignored, null the same as absent."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: member for name, member in value.items() if member is not None}


class VoiceChoice(RequestModel):
    name: Annotated[StrictStr | None, BeforeValidator(empty_is_none)] = None
    gender: Annotated[Literal["male", "female"] | None, BeforeValidator(empty_is_none), BeforeValidator(lower)] = None


VoiceField = Annotated[VoiceChoice, BeforeValidator(_out_of_string)]
