"""Every member of every request does something: what is kept, or what happens on the call, is another with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from bridge.api import bulks, click_to_call, ivr_messages, ivr_scenarios
from bridge.api.advanced import AdvancedRequest
from bridge.api.application import _ROUTES
from bridge.api.openapi import _BODIES
from bridge.api.requests import MultiRequest, SimpleMessage
from bridge.calls.scripts import script_of, variables_of
from bridge.messages.message import Message

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

Members = dict[str, Any]
A, B, C = "41793026727", "41793026728", "41793026729"
EVERY_DAY = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%S.000Z}"
URL = "https://shop.example/report"
GROUPS: Members = {"bye": ["hangup"], "hello": [{"say": "Hello."}]}
BOTH = [{"if": "dtmf", "equals": "1", "actionGroup": "bye"}, {"if": "anyDtmf", "actionGroup": "hello"}]


def pair(member: str, before: Any, after: Any, **around: Any) -> tuple[Members, Members]:
    """A message with two values of a member; None leaves it out."""
    return {**around, member: before}, {**around, member: after}


def window(**members: Any) -> Members:
    times = {"from": {"hour": 9, "minute": 0}, "to": {"hour": 17, "minute": 0}}
    return {"deliveryTimeWindow": {"days": EVERY_DAY, **times, **members}}


def retry(**members: int) -> Members:
    return {"retry": {"minPeriod": 1, "maxPeriod": 10, "maxCount": 2, **members}}


MESSAGE: dict[str, tuple[Members, Members]] = {
    "from": pair("from", A, B),
    "to": pair("to", [A, B], [A, C]),
    "text": pair("text", "Hi", "Hello"),
    "audioFileUrl": pair("audioFileUrl", f"{URL}/a", f"{URL}/b", text=None),
    "language": pair("language", "en", "de"),
    "voice.name": pair("voice", None, {"name": "Joanna"}),
    "voice.gender": pair("voice", None, {"gender": "male"}),
    "speechRate": pair("speechRate", None, 1.5),
    "sensitive": pair("sensitive", None, True),
    "notifyUrl": pair("notifyUrl", None, URL),
    "notifyContentType": pair("notifyContentType", None, "application/xml", notifyUrl=URL),
    "notifyContentVersion": pair("notifyContentVersion", None, 1, notifyUrl=URL),
    "callbackData": pair("callbackData", None, "order 7"),
    "validityPeriod": pair("validityPeriod", None, 5),
    "sendAt": pair("sendAt", None, TOMORROW),
    "record": pair("record", None, True),
    "ringTimeout": pair("ringTimeout", None, 20),
    "callTimeout": pair("callTimeout", None, 20),
    "pause": pair("pause", None, 3),
    "retry.minPeriod": (retry(), retry(minPeriod=2)),
    "retry.maxPeriod": (retry(), retry(maxPeriod=20)),
    "retry.maxCount": (retry(), retry(maxCount=3)),
    "sendingSpeed.speed": pair("sendingSpeed", {"speed": 1}, {"speed": 2}),
    "sendingSpeed.timeUnit": pair("sendingSpeed", {"speed": 1}, {"speed": 1, "timeUnit": "hour"}),
    "deliveryTimeWindow.days": (window(), window(days=["MONDAY"])),
    "deliveryTimeWindow.from.hour": (window(), window(**{"from": {"hour": 8, "minute": 0}})),
    "deliveryTimeWindow.from.minute": (window(), window(**{"from": {"hour": 9, "minute": 1}})),
    "deliveryTimeWindow.to.hour": (window(), window(to={"hour": 18, "minute": 0})),
    "deliveryTimeWindow.to.minute": (window(), window(to={"hour": 17, "minute": 1})),
    "destinations.to": pair("destinations", [{"to": A}, {"to": B}], [{"to": A}, {"to": C}]),
    "destinations.messageId": pair("destinations", [{"to": A}], [{"to": A, "messageId": "mine"}]),
    "repeatDtmf": pair("repeatDtmf", None, "9"),
    "maxDtmf": pair("maxDtmf", None, 4, actions=BOTH, actionGroups=GROUPS),
    "dtmfTimeout": pair("dtmfTimeout", None, 4, actions=BOTH, actionGroups=GROUPS),
    "machineDetection": pair("machineDetection", None, "hangup"),
    "callTransfers": pair("callTransfers", None, [{"if": "anyDtmf", "transferTo": B}]),
    "actions": pair("actions", BOTH, BOTH[::-1], actionGroups=GROUPS),
    "actionGroups": pair("actionGroups", GROUPS, {**GROUPS, "bye": ["repeat"]}, actions=BOTH),
    "scenarioId": pair("scenarioId", "first", "second"),
    "parameters": pair("parameters", None, {"name": "Ana"}),
    "fromB": pair("fromB", None, "4179000"),
    "destinationA": pair("destinationA", A, C),
    "destinationB": pair("destinationB", B, C),
    "anonymization": pair("anonymization", None, True),
    "maxDuration": pair("maxDuration", None, 60),
    "warningTime": pair("warningTime", None, 10, maxDuration=60),
    "messageId": pair("messageId", None, "mine"),
}
REQUEST: dict[str, tuple[Members, Members]] = {
    "bulkId": pair("bulkId", "one", "two"),
    "actions": MESSAGE["actions"],
    "actionGroups": MESSAGE["actionGroups"],
}
SCENARIO: dict[str, tuple[Members, Members]] = {
    "name": pair("name", "Menu", "Survey"),
    "description": pair("description", None, "What it does"),
    "label": pair("label", None, "mine"),
    "notifyUrl": pair("notifyUrl", None, URL),
    "notifyContentType": pair("notifyContentType", None, "application/xml"),
    "record": pair("record", None, True),
    "script": pair("script", ["hangup"], [{"say": "Hi"}]),
}
CAMPAIGN: Members = {"text": "Hi", "destinations": [{"to": A}, {"to": B}]}
JOIN: Members = {"from": B, "destinationA": A, "destinationB": C, "text": "Hi"}
SENDING: dict[type[BaseModel], tuple[str, Members]] = {
    SimpleMessage: ("/tts/3/single", {"to": [A, B], "text": "Hi"}),
    MultiRequest: ("/tts/3/multi", {"to": [A, B], "text": "Hi"}),
    AdvancedRequest: ("/tts/3/advanced", CAMPAIGN),
    ivr_messages.LaunchRequest: ("/voice/ivr/1/messages", {**CAMPAIGN, "scenarioId": "first"}),
    click_to_call.ClickToCallRequest: ("/voice/ctc/1/send", JOIN),
}


def members_of(model: type[BaseModel], inside: str = "") -> Iterator[str]:
    """The paths of all members that are no objects themselves, without indices: ``messages.retry.minPeriod``."""
    for name, field in model.model_fields.items():
        path = inside + (field.alias or name)
        yield from (f"{path}.{member}" for member in dataclass_members(field.annotation))
        inner = list(models_in(field.annotation))
        for each in inner:
            yield from members_of(each, f"{path}.")
        if not inner and not list(dataclass_members(field.annotation)):
            yield path


def dataclass_members(annotation: Any) -> Iterator[str]:
    for argument in get_args(annotation):
        if is_dataclass(argument):
            yield from (to_camel(field.name) for field in fields(argument))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


EVERY_MEMBER = [(model, path) for model in SENDING for path in members_of(model)]


def test_every_request_is_looked_at() -> None:
    others = {ivr_scenarios.ScenarioRequest, bulks.Rescheduling, bulks.StatusChange}
    assert set(_BODIES.values()) == SENDING.keys() | others
    bodies = {route.handler for route in _ROUTES if route.method in {"POST", "PUT"}}
    assert {handler.__name__ for handler in bodies - _BODIES.keys()} == {"upload_file"}


@pytest.mark.parametrize(("model", "path"), EVERY_MEMBER, ids=lambda value: getattr(value, "__name__", value))
async def test_every_member_of_a_message_changes_what_is_kept(desk: Desk, model: type[BaseModel], path: str) -> None:
    address, base = SENDING[model]
    before, after = (
        MESSAGE[path.removeprefix("messages.")]
        if path.startswith("messages.") or model is SimpleMessage
        else REQUEST[path]
    )
    at_the_top = not path.startswith("messages.") and model is not SimpleMessage
    kept = [
        await what_is_kept(desk, address, base, members, at_the_top=at_the_top, number=number)
        for number, members in enumerate((before, after))
    ]
    assert kept[0] != kept[1]


async def what_is_kept(
    desk: Desk, address: str, base: Members, members: Members, *, at_the_top: bool, number: int
) -> list[Any]:
    scenarios = {
        name: (await desk.sent({"name": "x", "script": script}, "/voice/ivr/1/scenarios"))["id"]
        for name, script in (("first", [{"say": "Hi ${name}"}]), ("second", ["hangup"]))
    }
    message = base if at_the_top else {**base, **members}
    if "scenarioId" in message:
        message = {**message, "scenarioId": scenarios[message["scenarioId"]]}
    body = message
    if address != "/tts/3/single":
        # Members that concern the pace of a request show in its second message only.
        several = [message, {**message, "messageId": None}] if "destinationA" in message else [message]
        body = {"messages": several, **(members if at_the_top else {})}
    asked = datetime.now(UTC)
    sent = await desk.sent(body, address)
    kept = []
    for told in sent["messages"]:
        progress = await desk.store.messages.progress("acme", told["messageId"])
        assert progress is not None
        kept.append(call_of(progress.message, asked))
    return [sent["bulkId"] if at_the_top and "bulkId" in members else None, kept]


def call_of(message: Message, asked: datetime) -> Any:
    """All that the house knows a call by; what its script does not do is not there."""
    content = message.content
    return (
        message.id if message.id == "mine" else None,
        message.to,
        message.sender,
        (message.send_at - asked) // timedelta(minutes=0.5),
        message.expires_at - message.send_at,
        script_of(content),
        variables_of(message),
        content.sensitive,
        content.record,
        content.ring_timeout,
        content.call_timeout,
        content.retry,
        content.window,
        content.notify,
        content.callback_data,
    )


@pytest.mark.parametrize("path", list(members_of(ivr_scenarios.ScenarioRequest)))
async def test_every_member_of_a_scenario_is_kept(desk: Desk, path: str) -> None:
    kept = []
    for members in SCENARIO[path]:
        created = await desk.sent({"name": "Menu", "script": ["hangup"], **members}, "/voice/ivr/1/scenarios")
        (scenario,) = (await desk.store.scenarios.by_id("acme", [created["id"]])).values()
        kept.append(scenario.body)
    assert kept[0] != kept[1]


def test_every_member_of_a_change_to_a_bulk_is_one_that_other_tests_follow() -> None:
    assert [*members_of(bulks.Rescheduling), *members_of(bulks.StatusChange)] == ["sendAt", "status"]
