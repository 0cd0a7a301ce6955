"""``POST /voice/ctc/1/send``: two telephones are called and joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from bridge.api.http.errors import DuplicateRefused
from bridge.api.http.fields import (
    MOST_DESTINATIONS,
    Number,
    RequestModel,
    Rules,
    Sender,
    detection_mode,
    members_at_fault,
)
from bridge.api.http.reading import read
from bridge.api.http.routes import Route
from bridge.api.messages.accepting import AcceptedAnswer, Taken, take_in
from bridge.api.messages.delivery import DeliveryOptions, OptionalId, refuse_repeated_ids
from bridge.api.messages.scripting import in_messages, played_by
from bridge.api.messages.utterance import Utterance
from bridge.messages.expansion import Destination, expand
from bridge.messages.message import Connection, Content
from bridge.telephony.numbers import parse_sender


class ClickToCall(Utterance, DeliveryOptions):
    """A is called, hears the text if there is one, and is joined with B."""

    must_be_heard: ClassVar[bool] = False

    sender: Annotated[StrictStr, AfterValidator(parse_sender)] = Field(alias="from")
    from_b: Sender = None
    destination_a: Number
    destination_b: Number
    anonymization: StrictBool = False
    max_duration: Annotated[StrictInt, Field(ge=1, le=86_400)] | None = None
    warning_time: Annotated[StrictInt, Field(ge=1, le=86_400)] | None = None
    machine_detection: Annotated[Literal["disable", "hangup"], BeforeValidator(detection_mode)] = "disable"
    message_id: OptionalId = None

    @model_validator(mode="after")
    def _warns_before_the_end(self) -> Self:
        if self.warning_time is not None and (self.max_duration is None or self.warning_time >= self.max_duration):
            raise members_at_fault("must be shorter than maxDuration, which it needs", "warningTime")
        return self

    @property
    def destinations(self) -> Sequence[Destination]:
        """A, who is called."""
        return [Destination(self.destination_a, self.message_id)]

    @property
    def content(self) -> Content:
        """What A hears, and how B is called."""
        return Content(
            **self.heard,
            **self.options,
            feature="click-to-call",
            machine_detection=self.machine_detection,
            connection=Connection(
                to=self.destination_b,
                caller_id=self.from_b or (self.sender if self.anonymization else self.destination_a),
                max_duration=self.max_duration,
                warning_time=self.warning_time,
            ),
        )


class ClickToCallRequest(RequestModel):
    bulk_id: OptionalId = None
    messages: Annotated[list[ClickToCall], Field(min_length=1, max_length=MOST_DESTINATIONS)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        refuse_repeated_ids(
            (f"messages[{index}].messageId", message.message_id) for index, message in enumerate(self.messages)
        )
        return self


async def send_click_to_call(request: web.Request) -> AcceptedAnswer:
    """Join two telephones."""
    return await take_in(request, _read)


def _read(body: bytes, rules: Rules, account: str) -> Taken:
    wanted = read(ClickToCallRequest, body, rules)
    requested = [(message.content, message) for message in wanted.messages]
    played = played_by(requested, in_messages)
    bulk = expand(requested, account=account, now=rules.now, bulk_id=wanted.bulk_id, one_pace=True)
    return Taken(bulk, played)


ROUTES = (Route("POST", "/voice/ctc/1/send", send_click_to_call, ClickToCallRequest, refusals=[DuplicateRefused]),)
