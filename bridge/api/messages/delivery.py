"""Delivery options, the members that say when and how often to call, and where the report is pushed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator
from pydantic.alias_generators import to_camel

from bridge.api.http.fields import (
    MOST_DESTINATIONS,
    Id,
    Moment,
    Number,
    RequestModel,
    Seconds,
    Url,
    empty_is_none,
    lower,
    members_at_fault,
)
from bridge.messages.expansion import LONGEST_VALIDITY, Destination
from bridge.messages.message import DeliveryTimeWindow, Notify, NotifyContentType, Retry, TimeOfDay
from bridge.messages.retry import retry_policy
from bridge.messages.windows import delivery_time_window

MOST_DESTINATIONS_OF_ALL = 100_000
"""Destinations of all messages of a request."""

_LONGEST_VALIDITY_MINUTES = LONGEST_VALIDITY // timedelta(minutes=1)

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}

_Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK: tuple[str, ...] = get_args(_Day)


def _media_type(value: Any) -> Any:
    return value.partition(";")[0].strip().lower() if isinstance(value, str) else value


def _time_unit(value: Any) -> Any:
    return value.strip().lower().removesuffix("s") if isinstance(value, str) else value


Period = Annotated[StrictInt, Field(ge=1)]
OptionalId = Annotated[Id | None, BeforeValidator(empty_is_none)]
OptionalUrl = Annotated[Url | None, BeforeValidator(empty_is_none)]
ContentType = Annotated[NotifyContentType, BeforeValidator(_media_type)]


@dataclass(frozen=True, slots=True)
class DestinationMember(Destination):
    """One object each: a request may have 100,000 of them."""

    __pydantic_config__ = ConfigDict(alias_generator=to_camel, extra="ignore")

    to: Number
    message_id: OptionalId = None


class RetryMember(RequestModel):
    min_period: Period
    max_period: Period
    max_count: Annotated[StrictInt, Field(ge=0)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _ = self.policy
        return self

    @cached_property
    def policy(self) -> Retry:
        """The policy that is kept. Raises ValueError."""
        return retry_policy(min_period=self.min_period, max_period=self.max_period, max_count=self.max_count)


class TimeMember(RequestModel):
    hour: Annotated[StrictInt, Field(ge=0, le=23)]
    minute: Annotated[StrictInt, Field(ge=0, le=59)]


class WindowMember(RequestModel):
    days: list[Annotated[_Day, BeforeValidator(lower)]]
    start: TimeMember | None = Field(default=None, alias="from")
    end: TimeMember | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _ = self.window
        return self

    @cached_property
    def window(self) -> DeliveryTimeWindow:
        """The window that is kept. Raises ValueError."""
        return delivery_time_window(
            frozenset(_WEEK.index(day) for day in self.days), _time_of_day(self.start), _time_of_day(self.end)
        )


class SpeedMember(RequestModel):
    speed: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    time_unit: Annotated[Literal["second", "minute", "hour", "day"], BeforeValidator(_time_unit)] = "minute"


class DeliveryOptions(RequestModel):
    """Who is told, how often is tried, and when: the members that messages of every kind have."""

    notify_url: OptionalUrl = None
    notify_content_type: ContentType = "application/json"
    notify_content_version: Literal[1, 2] = 2
    callback_data: Annotated[StrictStr, Field(max_length=700)] | None = None
    validity_period: Period | None = None
    send_at: Moment | None = None
    record: StrictBool = False
    ring_timeout: Seconds = 45
    call_timeout: Seconds | None = None
    pause: Annotated[StrictInt, Field(ge=0, le=10)] = 0
    retry: RetryMember | None = None
    sending_speed: SpeedMember | None = None
    delivery_time_window: WindowMember | None = None

    @property
    def validity(self) -> timedelta | None:
        """How long may be tried."""
        minutes = self.validity_period
        return None if minutes is None else timedelta(minutes=min(minutes, _LONGEST_VALIDITY_MINUTES))

    @property
    def gap(self) -> timedelta | None:
        """The time from one destination's turn to the next one's."""
        speed = self.sending_speed
        return None if speed is None else _UNITS[speed.time_unit] / speed.speed

    @property
    def notify(self) -> Notify | None:
        """Where the report is pushed to."""
        if self.notify_url is None:
            return None
        return Notify(self.notify_url, self.notify_content_type, self.notify_content_version)

    @property
    def options(self) -> dict[str, Any]:
        """What they mean to `Content`."""
        return {
            "pause": self.pause,
            "record": self.record,
            "ring_timeout": self.ring_timeout,
            "call_timeout": self.call_timeout,
            "retry": None if self.retry is None else self.retry.policy,
            "window": None if self.delivery_time_window is None else self.delivery_time_window.window,
            "notify": self.notify,
            "callback_data": self.callback_data,
        }


class Campaign(DeliveryOptions):
    """A message to destinations of its own."""

    destinations: Annotated[list[DestinationMember], Field(min_length=1, max_length=MOST_DESTINATIONS)]


def refuse_too_many(destinations: int) -> None:
    """Raises when a request has more destinations than one may have."""
    if destinations > MOST_DESTINATIONS_OF_ALL:
        raise members_at_fault(
            f"a request may have {MOST_DESTINATIONS_OF_ALL} destinations, has {destinations}", "messages"
        )


def refuse_repeated_ids(ids: Iterable[tuple[str, str | None]]) -> None:
    """Raises when two messages of a request are given the same id; ``ids`` are pairs of a member's path and an id."""
    seen: set[str] = set()
    repeated = []
    for path, message_id in ids:
        if message_id in seen:
            repeated.append(path)
        elif message_id is not None:
            seen.add(message_id)
    if repeated:
        raise members_at_fault("must differ from the other messageIds of the request", *repeated)


def check_campaigns(messages: Sequence[Campaign]) -> None:
    """Raises when the messages of a request have too many destinations, or ids that are not their own."""
    refuse_too_many(sum(len(message.destinations) for message in messages))
    refuse_repeated_ids(
        (f"messages[{m}].destinations[{d}].messageId", destination.message_id)
        for m, message in enumerate(messages)
        for d, destination in enumerate(message.destinations)
    )


def _time_of_day(member: TimeMember | None) -> TimeOfDay | None:
    return None if member is None else TimeOfDay(member.hour, member.minute)
