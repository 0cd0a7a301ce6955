"""``POST /voice/ctc/1/send``: two telephones are called and joined (wire contract, section 5.5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from bridge.api.http.fields import (
    MOST_DESTINATIONS,
    Members,
    Number,
    Rules,
    Sender,
    detection_mode,
    members_at_fault,
)
from bridge.api.http.reading import read
from bridge.api.messages.accepting import Taken, take_in
from bridge.api.messages.delivery import OptionalId, Terms, refuse_repeated_ids
from bridge.api.messages.orders import terms, timed_order, utterance
from bridge.api.messages.scripting import in_messages, played_by
from bridge.api.messages.utterance import Utterance
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Connection, Content
from bridge.telephony.numbers import parse_sender


class ClickToCall(Utterance, Terms):
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


class ClickToCallRequest(Members):
    bulk_id: OptionalId = None
    messages: Annotated[list[ClickToCall], Field(min_length=1, max_length=MOST_DESTINATIONS)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        refuse_repeated_ids(
            (f"messages[{index}].messageId", message.message_id) for index, message in enumerate(self.messages)
        )
        return self


async def send_click_to_call(request: web.Request) -> web.StreamResponse:
    """Join two telephones."""
    return await take_in(request, _read)


def _read(body: bytes, rules: Rules, account: str) -> Taken:
    wanted = read(ClickToCallRequest, body, rules)
    orders = [_order(message) for message in wanted.messages]
    played = played_by(orders, in_messages)
    bulk = expand(orders, account=account, now=rules.now, bulk_id=wanted.bulk_id, one_pace=True)
    return Taken(bulk, played)


def _order(message: ClickToCall) -> Order:
    content = Content(
        **utterance(message),
        **terms(message),
        feature="click-to-call",
        machine_detection=message.machine_detection,
        connection=Connection(
            to=message.destination_b,
            caller_id=message.from_b or (message.sender if message.anonymization else message.destination_a),
            max_duration=message.max_duration,
            warning_time=message.warning_time,
        ),
    )
    return timed_order(message, message.sender, content, [Destination(message.destination_a, message.message_id)])
