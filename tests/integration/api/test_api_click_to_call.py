"""Click-to-call: A is called and joined with B."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.scripts import Scripts
from bridge.messages.message import Connection, Message
from bridge.scripts import Interpreter
from bridge.scripts.commands import Play, Silence
from bridge.scripts.events import Played
from bridge.scripts.verbs.dial import Dial

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

PATH = "/voice/ctc/1/send"
A, B, US = "41793026727", "41793026728", "38515507799"
JOIN: dict[str, Any] = {"from": US, "destinationA": A, "destinationB": B}


async def dialled(desk: Desk, **members: Any) -> Dial:
    """What B's telephone is called with, after A heard the text if there is one."""
    await desk.sent({"messages": [{**JOIN, **members}]}, PATH)
    (claim,) = await desk.dial()
    assert (claim.message.to, claim.message.sender, claim.message.content.feature) == (A, US, "click-to-call")
    interpreter = Interpreter(Scripts().of(claim.message.content), {"to": A, "from": US})
    commands = interpreter.start(0)
    if members.get("text"):
        (play,) = (command for command in commands if isinstance(command, Play))
        commands = interpreter.handle(Played(play.id), 1)
    (dial,) = (command for command in commands if isinstance(command, Dial))
    return dial


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({}, A),
        ({"anonymization": True}, US),
        ({"fromB": "4179000"}, "4179000"),
        ({"fromB": "4179000", "anonymization": True}, "4179000"),
    ],
)
async def test_b_is_called_and_shown_what_was_asked_for(desk: Desk, members: dict[str, Any], shown: str) -> None:
    dial = await dialled(desk, **members)
    assert (dial.numbers, dial.caller_id) == ((B,), shown)


async def test_a_hears_the_text_before_and_the_tone_before_the_end(desk: Desk) -> None:
    dial = await dialled(desk, text="We connect you.", maxDuration=60, warningTime=5)
    assert (dial.max_seconds, dial.warning_seconds) == (60, 5)


async def test_everything_that_may_be_said_is_kept(desk: Desk) -> None:
    message = {
        **JOIN,
        "messageId": "mine-1",
        "machineDetection": "HANGUP",
        "retry": {"minPeriod": 1, "maxPeriod": 1, "maxCount": 1},
        "notifyUrl": "https://shop.example/ctc",
        "deliveryTimeWindow": {"days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]},
    }
    sent = await desk.sent({"bulkId": "b1", "messages": [message]}, PATH)
    assert (sent["bulkId"], sent["messages"][0]["messageId"], sent["messages"][0]["to"]) == ("b1", "mine-1", A)
    (claim,) = await desk.dial()
    content = claim.message.content
    assert content.connection == Connection(B, A)
    assert content.machine_detection == "hangup"
    assert content.retry is not None
    assert content.notify is not None
    assert content.window is not None


async def kept(desk: Desk, *messages: dict[str, Any]) -> list[Message]:
    sent = await desk.sent({"messages": [{**JOIN, **members} for members in messages]}, PATH)
    found = [await desk.store.messages.progress("acme", each["messageId"]) for each in sent["messages"]]
    return [progress.message for progress in found if progress is not None]


async def test_a_validity_is_counted_in_minutes_as_everywhere(desk: Desk) -> None:
    (message,) = await kept(desk, {"validityPeriod": 5})
    assert message.expires_at - message.send_at == timedelta(minutes=5)


async def test_a_pause_comes_before_the_text_and_without_one_before_b_is_called(desk: Desk) -> None:
    for text in ("We connect you.", None):
        (message,) = await kept(desk, {"pause": 3, "text": text})
        (play,) = (
            command for command in Interpreter(Scripts().of(message.content), {}).start(0) if isinstance(command, Play)
        )
        assert play.prompt == Silence(3)


async def test_messages_of_one_request_take_turns_at_the_speed_that_they_share(desk: Desk) -> None:
    slow = {"sendingSpeed": {"speed": 10, "timeUnit": "hours"}}
    other = {"sendingSpeed": {"speed": 1, "timeUnit": "hours"}}
    messages = await kept(desk, slow, {}, slow, other, slow, other)
    minutes = [round((message.send_at - messages[0].send_at) / timedelta(minutes=1)) for message in messages]
    assert minutes == [0, 0, 6, 0, 12, 60]


async def test_a_report_says_that_it_was_a_click_to_call(desk: Desk) -> None:
    await desk.sent({"messages": [JOIN]}, PATH)
    await desk.finish_all()
    (report,) = (await (await desk.get("/voice/1/reports")).json())["results"]
    assert (report["voiceCall"]["feature"], report["voiceCall"]["ivr"]) == ("Click-to-call", None)


@pytest.mark.parametrize(
    ("members", "paths"),
    [
        ({"from": None}, ["messages[0].from"]),
        ({"destinationA": None}, ["messages[0].destinationA"]),
        ({"destinationB": "12\r\n34"}, ["messages[0].destinationB"]),
        ({"text": "Hi", "audioFileUrl": "http://shop.example/a"}, ["messages[0].text", "messages[0].audioFileUrl"]),
        ({"machineDetection": "continue"}, ["messages[0].machineDetection"]),
        ({"warningTime": 5}, ["messages[0].warningTime"]),
        ({"warningTime": 60, "maxDuration": 60}, ["messages[0].warningTime"]),
        ({"maxDuration": 0}, ["messages[0].maxDuration"]),
    ],
)  # fmt: skip
async def test_a_click_to_call_that_breaks_a_rule_is_refused_by_path(
    desk: Desk, members: dict[str, Any], paths: list[str]
) -> None:
    assert list(await desk.refused({"messages": [{**JOIN, **members}]}, PATH)) == paths


async def test_two_messages_of_one_request_have_different_ids(desk: Desk) -> None:
    message = {**JOIN, "messageId": "mine"}
    problems = await desk.refused({"messages": [message, message]}, PATH)
    assert list(problems) == ["messages[1].messageId"]
