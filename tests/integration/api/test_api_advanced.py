"""Advanced sending: every member is checked and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.messages.message import Content, DeliveryTimeWindow, Message, Notify, Retry, TimeOfDay
from bridge.messages.progress import Progress

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database


async def advanced(desk: Desk, **members: Any) -> Message:
    """What the store has of a message that is accepted."""
    message = {"destinations": [{"to": "41793026727"}], "text": "Hello", **members}
    sent = await desk.sent({"messages": [message]}, "/tts/3/advanced")
    progress = await desk.store.messages.progress("acme", sent["messages"][0]["messageId"])
    assert isinstance(progress, Progress)
    return progress.message


async def test_advanced_keeps_every_member(desk: Desk) -> None:
    message = await advanced(
        desk,
        **{"from": "12345"},
        speechRate=1.5,
        pause=3,
        record=True,
        repeatDtmf="123#",
        maxDtmf=2,
        dtmfTimeout=7,
        ringTimeout=30,
        callTimeout=130,
        machineDetection="DISABLE",
        callbackData="order 7",
        notifyUrl="https://shop.example/report?id=1",
        notifyContentType="application/xml; charset=UTF-8",
        notifyContentVersion=1,
        retry={"minPeriod": 3, "maxPeriod": 5000, "maxCount": 9},
        deliveryTimeWindow={
            "days": ["MONDAY", "sunday"],
            "from": {"hour": 9, "minute": 30},
            "to": {"hour": 17, "minute": 0},
        },
        callTransfers=[{"if": "DTMF", "equals": "1", "transferTo": "41793026700"}],
        track="SMS",
    )
    assert message.sender == "12345"
    assert message.content == Content(
        text="Hello",
        speech_rate=1.5,
        pause=3,
        record=True,
        repeat_dtmf="123#",
        max_dtmf=2,
        dtmf_timeout=7,
        ring_timeout=30,
        call_timeout=130,
        callback_data="order 7",
        notify=Notify("https://shop.example/report?id=1", "application/xml", 1),
        retry=Retry(5, 1440, 4),
        window=DeliveryTimeWindow(frozenset({0, 6}), TimeOfDay(9, 30), TimeOfDay(17, 0)),
        call_transfers=[{"if": "DTMF", "equals": "1", "transferTo": "41793026700"}],
    )


async def test_actions_of_the_request_are_the_default_of_its_messages(desk: Desk) -> None:
    action = {"if": "anyDtmf", "actionGroup": "bye"}
    body = {
        "messages": [
            {"destinations": [{"to": "41793026727"}], "text": "one"},
            {"destinations": [{"to": "41793026728"}], "text": "two", "actions": [], "actionGroups": {}},
        ],
        "actions": [action],
        "actionGroups": (groups := [{"name": "bye", "actions": ["hangup"]}]),
    }
    await desk.sent(body, "/tts/3/advanced")
    contents = {claim.message.content.text: claim.message.content for claim in await desk.dial()}
    assert (contents["one"].actions, contents["one"].action_groups) == ([action], groups)
    assert (contents["two"].actions, contents["two"].action_groups) == ([], {})


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-01T10:00:00.000+01:00",
        "2026-12-01T09:00:00.005+0000",
        "2026-12-01T09:00:00Z",
        "2026-12-01T09:00:00.123456Z",
    ],
)
async def test_a_message_may_be_scheduled(desk: Desk, written: str) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    written = written.replace("2026-12-01", f"{tomorrow:%Y-%m-%d}")
    message = await advanced(desk, sendAt=written, validityPeriod=10)
    assert message.send_at.replace(microsecond=0) == tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
    assert message.expires_at - message.send_at == timedelta(minutes=10)
    assert await desk.dial() == []


async def test_a_validity_over_48_hours_is_cut(desk: Desk) -> None:
    message = await advanced(desk, validityPeriod=10**12)
    assert message.expires_at - message.send_at == timedelta(hours=48)


async def test_a_sending_speed_spreads_the_destinations(desk: Desk) -> None:
    body = {
        "messages": [
            {
                "destinations": [{"to": f"4179302672{n}", "messageId": f"m{n}"} for n in range(3)],
                "text": "Hello",
                "sendingSpeed": {"speed": 10, "timeUnit": "HOURS"},
            }
        ]
    }
    await desk.sent(body, "/tts/3/advanced")
    progress = [await desk.store.messages.progress("acme", f"m{n}") for n in range(3)]
    turns = [each.message.send_at for each in progress if each is not None]
    assert [turn - turns[0] for turn in turns] == [timedelta(), timedelta(minutes=6), timedelta(minutes=12)]


async def test_ids_of_the_application_are_kept_and_taken_once(desk: Desk) -> None:
    body = {
        "bulkId": "my bulk/1",
        "messages": [{"destinations": [{"to": "41793026727", "messageId": "mine-1"}], "text": "Hello"}],
    }
    sent = await desk.sent(body, "/tts/3/advanced")
    assert (sent["bulkId"], sent["messages"][0]["messageId"]) == ("my bulk/1", "mine-1")
    again = await desk.post("/tts/3/advanced", body)
    assert again.status == 409
    assert (await again.json())["requestError"]["serviceException"]["messageId"] == "DUPLICATE_ID"
    assert desk.wakes == 1
    assert len(await desk.dial()) == 1


def message(**members: Any) -> dict[str, Any]:
    return {"destinations": [{"to": "41793026727"}], "text": "Hello", **members}


@pytest.mark.parametrize(
    ("body", "members"),
    [
        ({}, ["messages"]),
        ({"messages": []}, ["messages"]),
        ({"messages": {}}, ["messages"]),
        ({"messages": [7]}, ["messages[0]"]),
        ({"messages": [message(destinations=[])]}, ["messages[0].destinations"]),
        (
            {"messages": [message(), message(destinations=[{"to": "41793026727"}, {"to": "x"}])]},
            ["messages[1].destinations[1].to"],
        ),
        ({"messages": [message(destinations=[{"messageId": "m"}])]}, ["messages[0].destinations[0].to"]),
        (
            {"messages": [message(destinations=[{"to": "41793026727", "messageId": "m"}] * 2)]},
            ["messages[0].destinations[1].messageId"],
        ),
        ({"messages": [message(text=None)]}, ["messages[0].text", "messages[0].audioFileUrl"]),
        ({"messages": [message(callbackData="x" * 701)]}, ["messages[0].callbackData"]),
        ({"messages": [message(pause=11)]}, ["messages[0].pause"]),
        ({"messages": [message(ringTimeout="45")]}, ["messages[0].ringTimeout"]),
        ({"messages": [message(ringTimeout=0)]}, ["messages[0].ringTimeout"]),
        ({"messages": [message(record="true")]}, ["messages[0].record"]),
        ({"messages": [message(repeatDtmf="1a!")]}, ["messages[0].repeatDtmf"]),
        ({"messages": [message(machineDetection="maybe")]}, ["messages[0].machineDetection"]),
        ({"messages": [message(sendAt="tomorrow")]}, ["messages[0].sendAt"]),
        ({"messages": [message(sendAt=1700000000)]}, ["messages[0].sendAt"]),
        ({"messages": [message(sendAt="2026-13-01T00:00:00Z")]}, ["messages[0].sendAt"]),
        ({"messages": [message(sendAt="9999-12-31T23:59:59Z")]}, ["messages[0].sendAt"]),
        ({"messages": [message(sendAt="0001-01-01T00:00:00+14:00")]}, ["messages[0].sendAt"]),
        ({"messages": [message(validityPeriod=0)]}, ["messages[0].validityPeriod"]),
        ({"messages": [message(notifyUrl="ftp://files.example/")]}, ["messages[0].notifyUrl"]),
        ({"messages": [message(notifyUrl="http://[::1")]}, ["messages[0].notifyUrl"]),
        ({"messages": [message(notifyUrl="http://shop.example/\r\nX: y")]}, ["messages[0].notifyUrl"]),
        ({"messages": [message(notifyContentVersion=3)]}, ["messages[0].notifyContentVersion"]),
        ({"messages": [message(retry={"minPeriod": 1, "maxCount": 1})]}, ["messages[0].retry.maxPeriod"]),
        ({"messages": [message(retry={"minPeriod": 9, "maxPeriod": 1, "maxCount": 1})]}, ["messages[0].retry"]),
        ({"messages": [message(sendingSpeed={"speed": 0})]}, ["messages[0].sendingSpeed.speed"]),
        ({"messages": [message(sendingSpeed={"speed": 1, "timeUnit": "week"})]}, ["messages[0].sendingSpeed.timeUnit"]),
        ({"messages": [message(deliveryTimeWindow={"days": []})]}, ["messages[0].deliveryTimeWindow"]),
        ({"messages": [message(deliveryTimeWindow={"days": ["FUNDAY"]})]}, ["messages[0].deliveryTimeWindow.days[0]"]),
        (
            {"messages": [message(deliveryTimeWindow={"days": ["MONDAY"], "from": {"hour": 24, "minute": 0}})]},
            ["messages[0].deliveryTimeWindow.from.hour"],
        ),
        ({"messages": [message(callTransfers=["41793026700"])]}, ["messages[0].callTransfers[0]"]),
        (
            {"messages": [message(actionGroups=[{"name": "a", "actions": []}] * 2)]},
            ["messages[0].actionGroups[1].name", "messages[0].actionGroups[0].name"],
        ),
        ({"messages": [message(actionGroups="bye")]}, ["messages[0].actionGroups"]),
        (
            {"messages": [message(actionGroups={"a": "hangup"}, actions=[{"if": "anyDtmf", "actionGroup": "a"}])]},
            ["messages[0].actionGroups.a"],
        ),
        ({"bulkId": "line\nbreak", "messages": [message()]}, ["bulkId"]),
        ({"bulkId": "x" * 201, "messages": [message()]}, ["bulkId"]),
    ],
)
async def test_a_fault_in_an_advanced_request_is_named_by_its_path(desk: Desk, body: Any, members: list[str]) -> None:
    assert list(await desk.refused(body, "/tts/3/advanced")) == members


MENU: dict[str, Any] = {
    "actions": [
        {"if": "dtmf", "equals": "1", "actionGroup": "confirm"},
        {"if": "noDtmf", "actionGroups": ["bye"]},
    ],
    "actionGroups": {"confirm": [{"say": "Thank you."}, "hangup"], "bye": ["hangup"]},
}


async def test_actions_are_kept_as_they_were_written(desk: Desk) -> None:
    kept = await advanced(desk, **MENU)
    assert kept.content.actions == MENU["actions"]
    assert kept.content.action_groups == MENU["actionGroups"]


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"actionGroups": {**MENU["actionGroups"], "confirm": [{"dial": "nobody"}]}}, "actionGroups.confirm[0].dial"),
        ({"actionGroups": {**MENU["actionGroups"], "confirm": [{"sendSms": "hi"}]}}, "actionGroups.confirm[0].sendSms"),
        ({"actions": [{"if": "dtmf", "equals": "1", "actionGroup": "unknown"}]}, "actions[0].actionGroup"),
        ({"callTransfers": [{"if": "dtmf", "equals": "2", "transferTo": "x"}]}, "callTransfers[0].transferTo"),
    ],
)
async def test_a_fault_in_what_keys_lead_to_is_named_where_it_stands(
    desk: Desk, members: dict[str, Any], path: str
) -> None:
    own = {"messages": [message(), message(**{**MENU, **members})]}
    assert f"messages[1].{path}" in await desk.refused(own, "/tts/3/advanced")
    if "callTransfers" not in members:
        assert path in await desk.refused({"messages": [message()], **MENU, **members}, "/tts/3/advanced")
