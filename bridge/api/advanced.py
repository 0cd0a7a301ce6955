"""What may be sent to ``/tts/3/advanced`` (wire contract, sections 1.3 and 2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from bridge.api.members import (
    MOST_DESTINATIONS,
    Id,
    Keys,
    Members,
    Moment,
    Number,
    Seconds,
    Url,
    empty_is_none,
    lower,
    members_at_fault,
)
from bridge.api.requests import Utterance, refuse_too_many
from bridge.messages.message import DeliveryTimeWindow, Retry, TimeOfDay
from bridge.messages.retry import retry_policy
from bridge.messages.windows import delivery_time_window

_Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK: tuple[str, ...] = get_args(_Day)


def _media_type(value: Any) -> Any:
    return value.partition(";")[0].strip().lower() if isinstance(value, str) else value


def _time_unit(value: Any) -> Any:
    return value.strip().lower().removesuffix("s") if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _groups_by_name(value: Any) -> Any:
    """``actionGroups`` may also be an array of ``{"name", "actions"}``."""
    if not isinstance(value, list):
        return value
    groups = {}
    for group in value:
        if not isinstance(group, dict) or not isinstance(group.get("name"), str) or "actions" not in group:
            raise ValueError("each group must have a name and actions")
        if group["name"] in groups:
            raise ValueError(f"two groups are named {group['name']}")
        groups[group["name"]] = group["actions"]
    return groups


Period = Annotated[StrictInt, Field(ge=1)]
Actions = list[dict[str, Any]]
ActionGroups = Annotated[dict[str, list[Any]], BeforeValidator(_groups_by_name)]


class Destination(Members):
    to: Number
    message_id: Annotated[Id | None, BeforeValidator(empty_is_none)] = None


class RetryMember(Members):
    min_period: Period
    max_period: Period
    max_count: Annotated[StrictInt, Field(ge=0)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.policy()
        return self

    def policy(self) -> Retry:
        """The policy that is kept. Raises ValueError."""
        return retry_policy(min_period=self.min_period, max_period=self.max_period, max_count=self.max_count)


class TimeMember(Members):
    hour: Annotated[StrictInt, Field(ge=0, le=23)]
    minute: Annotated[StrictInt, Field(ge=0, le=59)]


class WindowMember(Members):
    days: list[Annotated[_Day, BeforeValidator(lower)]]
    start: TimeMember | None = Field(default=None, alias="from")
    end: TimeMember | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.window()
        return self

    def window(self) -> DeliveryTimeWindow:
        """The window that is kept. Raises ValueError."""
        return delivery_time_window(
            frozenset(_WEEK.index(day) for day in self.days), _time_of_day(self.start), _time_of_day(self.end)
        )


class SpeedMember(Members):
    speed: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    time_unit: Annotated[Literal["second", "minute", "hour", "day"], BeforeValidator(_time_unit)] = "minute"


class AdvancedMessage(Utterance):
    destinations: Annotated[list[Destination], Field(min_length=1, max_length=MOST_DESTINATIONS)]
    notify_url: Annotated[Url | None, BeforeValidator(empty_is_none)] = None
    notify_content_type: Annotated[Literal["application/json", "application/xml"], BeforeValidator(_media_type)] = (
        "application/json"
    )
    notify_content_version: Literal[1, 2] = 2
    callback_data: Annotated[StrictStr, Field(max_length=700)] | None = None
    validity_period: Period | None = None
    send_at: Moment | None = None
    record: StrictBool = False
    repeat_dtmf: Annotated[Keys | None, BeforeValidator(_upper), BeforeValidator(empty_is_none)] = None
    max_dtmf: Annotated[StrictInt, Field(ge=1, le=255)] | None = None
    dtmf_timeout: Annotated[StrictInt, Field(ge=1, le=600)] = 10
    ring_timeout: Seconds = 45
    call_timeout: Seconds | None = None
    pause: Annotated[StrictInt, Field(ge=0, le=10)] = 0
    machine_detection: Annotated[Literal["disable", "hangup", "continue"], BeforeValidator(lower)] = "disable"
    retry: RetryMember | None = None
    sending_speed: SpeedMember | None = None
    delivery_time_window: WindowMember | None = None
    call_transfers: list[dict[str, Any]] = Field(default_factory=list)
    actions: Actions | None = None
    action_groups: ActionGroups | None = None


class AdvancedRequest(Members):
    """``actions`` and ``actionGroups`` at the top are the default for messages that have none of their own."""

    bulk_id: Annotated[Id | None, BeforeValidator(empty_is_none)] = None
    messages: Annotated[list[AdvancedMessage], Field(min_length=1)]
    actions: Actions = Field(default_factory=list)
    action_groups: ActionGroups = Field(default_factory=dict)

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        refuse_too_many(sum(len(message.destinations) for message in self.messages))
        return self

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        seen: set[str] = set()
        repeated = []
        for m, message in enumerate(self.messages):
            for d, destination in enumerate(message.destinations):
                if destination.message_id in seen:
                    repeated.append(f"messages[{m}].destinations[{d}].messageId")
                elif destination.message_id is not None:
                    seen.add(destination.message_id)
        if repeated:
            raise members_at_fault("must differ from the other messageIds of the request", *repeated)
        return self


def _time_of_day(member: TimeMember | None) -> TimeOfDay | None:
    return None if member is None else TimeOfDay(member.hour, member.minute)
