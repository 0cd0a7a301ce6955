"""IVR scenarios are launched, and reported."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.scripts import Scripts, variables_of
from bridge.messages.attempt import Collected, Input
from bridge.messages.message import Launch, Notify, Retry

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

PATH = "/voice/ivr/1/messages"
SCRIPT: list[Any] = [{"say": "Hello ${name}, this is ${from}."}, {"collectInto": "v"}, "hangup"]


async def scenario(desk: Desk, **members: Any) -> str:
    created = await desk.sent({"name": "Survey", "script": SCRIPT, **members}, "/voice/ivr/1/scenarios")
    return str(created["id"])


def launched(scenario_id: str, **members: Any) -> dict[str, Any]:
    return {"messages": [{"scenarioId": scenario_id, "destinations": [{"to": "+41 79 302 67 27"}], **members}]}


async def test_a_launch_is_answered_and_kept_with_the_script_as_it_was(desk: Desk) -> None:
    scenario_id = await scenario(desk)
    wanted = launched(scenario_id, **{"from": "12345"}, parameters={"name": "Ana", "to": "nobody"}, pause=2)
    sent = await desk.sent({"bulkId": "b1", **wanted}, PATH)
    assert sent["bulkId"] == sent["token"] == "b1"
    assert sent["messages"][0]["status"]["name"] == "PENDING_ACCEPTED"
    await desk.put(f"/voice/ivr/1/scenarios/{scenario_id}", {"name": "Later", "script": ["hangup"]})

    (claim,) = await desk.dial()
    content = claim.message.content
    assert (content.feature, content.pause, desk.wakes) == ("ivr", 2, 1)
    assert content.launch == Launch(scenario_id, "Survey", SCRIPT, {"name": "Ana", "to": "nobody"})
    variables = variables_of(claim.message)
    assert variables == {"name": "Ana", "to": "41793026727", "from": "12345"}
    said = [prompt.text for prompt in Scripts().of(content).prompts(variables) if hasattr(prompt, "text")]
    assert said == ["Hello Ana, this is 12345."]


async def test_what_a_message_leaves_out_comes_from_its_scenario(desk: Desk) -> None:
    scenario_id = await scenario(
        desk, record=True, notifyUrl="https://shop.example/ivr", notifyContentType="application/xml"
    )
    await desk.sent(launched(scenario_id, notifyContentVersion=1), PATH)
    await desk.sent(launched(scenario_id, notifyUrl="https://shop.example/mine"), PATH)
    first, second = (claim.message.content for claim in await desk.dial())
    assert (first.record, second.record) == (True, True)
    assert first.notify == Notify("https://shop.example/ivr", "application/xml", 1)
    assert second.notify == Notify("https://shop.example/mine")


async def test_every_member_of_a_launch_is_kept(desk: Desk) -> None:
    scenario_id = await scenario(desk)
    await desk.sent(
        launched(
            scenario_id,
            destinations=[{"to": "41793026727", "messageId": "mine-1"}, {"to": "41793026728"}],
            callbackData="order 7",
            validityPeriod=720,
            retry={"minPeriod": 1, "maxPeriod": 5, "maxCount": 3},
            ringTimeout=30,
            callTimeout=130,
            sendingSpeed={"speed": 1, "timeUnit": "MINUTES"},
            deliveryTimeWindow={"days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]},
            record=True,
        ),
        PATH,
    )
    first, second = await desk.dial(timedelta(minutes=1))
    content = first.message.content
    assert first.message.id == "mine-1"
    assert second.message.send_at - first.message.send_at == timedelta(minutes=1)
    assert content.retry == Retry(1, 5, 3)
    assert (content.ring_timeout, content.call_timeout, content.callback_data) == (30, 130, "order 7")
    assert content.window is not None
    assert content.record


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"scenarioId": "0" * 32}, "messages[0].scenarioId"),
        ({"scenarioId": None}, "messages[0].scenarioId"),
        ({"destinations": []}, "messages[0].destinations"),
        ({"destinations": [{"to": "nobody"}]}, "messages[0].destinations[0].to"),
        ({"parameters": {"name": 7}}, "messages[0].parameters.name"),
        ({"parameters": []}, "messages[0].parameters"),
        ({"retry": {"minPeriod": 5, "maxPeriod": 1, "maxCount": 1}}, "messages[0].retry"),
        ({"pause": 11}, "messages[0].pause"),
    ],
)
async def test_a_launch_that_breaks_a_rule_is_refused_by_path(desk: Desk, members: dict[str, Any], path: str) -> None:
    problems = await desk.refused(launched(await scenario(desk), **members), PATH)
    assert list(problems) == [path]


async def test_another_accounts_scenario_is_no_scenario(desk: Desk) -> None:
    scenario_id = await scenario(desk)
    answer = await desk.post(PATH, launched(scenario_id), "the-other-key")
    assert answer.status == 400
    await desk.nothing_is_left_behind()


async def test_a_launch_with_an_id_that_was_used_before_is_refused_whole(desk: Desk) -> None:
    scenario_id = await scenario(desk)
    await desk.sent({"bulkId": "b1", **launched(scenario_id)}, PATH)
    answer = await desk.post(PATH, {"bulkId": "b1", **launched(scenario_id)})
    assert answer.status == 409


async def test_what_was_collected_is_in_both_reports_and_in_the_cdr(desk: Desk) -> None:
    scenario_id = await scenario(desk)
    sent = await desk.sent({"messages": 2 * launched(scenario_id)["messages"]}, PATH)
    for claim in await desk.dial():
        now = claim.attempt.dialled_at
        attempt = replace(
            claim.attempt,
            answered_at=now,
            ended_at=now,
            status_id=5,
            error_id=5000,
            inputs=[Input(now, "3", "collect", []), Input(now, "", "noDtmf", []), Input(now, "9", None, [])],
            collected=[Collected("v", "3", "trojka"), Collected("pin", "****")],
        )
        await desk.store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=now)

    (flat,) = (await (await desk.get("/tts/3/reports", limit="1")).json())["results"]
    assert (flat["scenarioId"], flat["scenarioName"], flat["dtmfCodes"]) == (scenario_id, "Survey", "3, 9")
    assert json.loads(flat["dtmfCodesAsJson"]) == {"v": "3", "pin": "****"}

    (nested,) = (await (await desk.get("/voice/1/reports")).json())["results"]
    assert nested["voiceCall"]["feature"] == "IVR"
    assert nested["voiceCall"]["ivr"] == {
        "scenarioId": scenario_id,
        "scenarioName": "Survey",
        "collectedDtmfs": '{"v":"3","pin":"****"}',
        "collectedMappedDtmfs": '{"v":"trojka"}',
        "spokenInput": None,
        "matchedSpokenInput": None,
    }

    cdr = await (await desk.get(f"/voice/1/calls/{sent['messages'][0]['messageId']}/cdr")).json()
    assert cdr["attempts"][0]["collected"] == [
        {"variable": "v", "keys": "3", "meaning": "trojka"},
        {"variable": "pin", "keys": "****", "meaning": None},
    ]
