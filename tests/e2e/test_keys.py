"""Keys that a telephone really presses (RFC 4733), and what they bring about on the call and in the CDR."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.e2e.interactive import (
    SAMPLES_A_SECOND,
    Sounds,
    attempt_of,
    called,
    in_order,
    inputs_of,
    one_zero,
    place,
    span_of,
)
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_calls import reports

MENU = "Your order is ready. Press one to confirm, or two to talk to us, and stay on the line otherwise."
SHORT = "Press a key."
THANKS = "Thank you, that is all."
UNKNOWN = "Unknown choice."
BYE = "We did not hear you. Good bye."

THANK = [{"say": THANKS}, "hangup"]


def menu(choices: dict[str, list[Any]], **others: list[Any]) -> dict[str, Any]:
    """Actions for exact keys, and for ``anyDtmf`` and ``noDtmf``, each with a group of its own."""
    actions = [{"if": "dtmf", "equals": keys, "actionGroup": f"key {keys}"} for keys in choices]
    actions += [{"if": condition, "actionGroup": condition} for condition in others]
    groups = {f"key {keys}": verbs for keys, verbs in choices.items()} | others
    return {"actions": actions, "actionGroups": groups, "dtmfTimeout": 2}


async def heard(lab: RunningLab, number: str) -> bytes:
    return one_zero(await lab.heard(number))


async def test_a_key_during_the_message_stops_it_at_once_and_its_group_answers(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    number = "999110299001"
    attempt = await called(api, number, MENU, **menu({"2": THANK}))
    assert inputs_of(attempt) == [("2", "dtmf", ["key 2"])]
    assert attempt["hungUpBy"] == "caller"
    sound = await heard(lab, number)
    message = span_of(sound, await sounds.of(MENU))
    answer = span_of(sound, await sounds.of(THANKS), message.ends)
    assert message.share < 0.7
    assert 0.3 < message.ends < 3, "the key comes 1.1 s after the answer, the message up to some tenths after it"
    assert answer.was_heard
    assert answer.begins - message.ends < 0.6


async def test_a_key_after_the_message_chooses_its_group(lab: RunningLab, api: ClientSession, sounds: Sounds) -> None:
    number = "999120199001"
    attempt = await called(api, number, SHORT, **menu({"1": THANK, "2": ["hangup"]}))
    assert inputs_of(attempt) == [("1", "dtmf", ["key 1"])]
    assert in_order(await heard(lab, number), [await sounds.of(SHORT), await sounds.of(THANKS)])


async def test_any_key_chooses_its_group(lab: RunningLab, api: ClientSession, sounds: Sounds) -> None:
    number = "999120799001"
    attempt = await called(api, number, SHORT, **menu({"1": ["hangup"]}, anyDtmf=THANK))
    assert inputs_of(attempt) == [("7", "anyDtmf", ["anyDtmf"])]
    assert in_order(await heard(lab, number), [await sounds.of(SHORT), await sounds.of(THANKS)])


async def test_a_key_that_begins_no_code_is_answered_at_once(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    number = "999120799002"  # 7, two seconds after the answer
    attempt = await called(api, number, SHORT, **menu({"1": ["hangup"], "42": ["hangup"]}, anyDtmf=THANK))
    assert inputs_of(attempt) == [("7", "anyDtmf", ["anyDtmf"])]
    answer = span_of(await heard(lab, number), await sounds.of(THANKS))
    assert answer.was_heard
    assert 2 < answer.begins < 3


async def test_without_a_key_the_call_listens_and_says_good_bye(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    number = "9990020"
    token = await place(api, number, SHORT, **menu({"1": ["hangup"]}, noDtmf=[{"say": BYE}, "hangup"]))
    attempt = await attempt_of(api, token)
    assert inputs_of(attempt) == [("", "noDtmf", ["noDtmf"])]
    sound, message, farewell = await heard(lab, number), await sounds.of(SHORT), await sounds.of(BYE)
    assert sound.startswith(message)
    assert sound.endswith(farewell)
    listened = sound[len(message) : -len(farewell)]
    assert 1 < len(listened) / SAMPLES_A_SECOND < 4
    assert set(listened) == {0xFF}
    (report,) = await reports(api, messageId=token)
    assert not report["dtmfCodes"]


async def test_several_keys_are_one_input(lab: RunningLab, api: ClientSession, sounds: Sounds) -> None:
    number = "99912012399001"
    token = await place(api, number, SHORT, **menu({"123": THANK, "1": ["hangup"]}))
    attempt = await attempt_of(api, token)
    assert inputs_of(attempt) == [("123", "dtmf", ["key 123"])]
    assert in_order(await heard(lab, number), [await sounds.of(SHORT), await sounds.of(THANKS)])
    (report,) = await reports(api, messageId=token)
    assert report["dtmfCodes"] == "123"


async def test_repeat_plays_the_message_again(lab: RunningLab, api: ClientSession, sounds: Sounds) -> None:
    number = "999122590199001"  # 5, two seconds later 9, later 0, later 1
    attempt = await called(api, number, SHORT, **menu({"5": ["repeat"], "1": THANK}), repeatDtmf="9", maxDtmf=1)
    message = await sounds.of(SHORT)
    assert [keys for keys, _, _ in inputs_of(attempt)] == ["5", "9", "1"]
    assert in_order(await heard(lab, number), [message, message, message, await sounds.of(THANKS)])


async def test_a_group_hangs_up(lab: RunningLab, api: ClientSession) -> None:
    number = "999110699001"
    attempt = await called(api, number, MENU, **menu({"6": ["hangup"]}))
    assert inputs_of(attempt) == [("6", "dtmf", ["key 6"])]
    assert attempt["hungUpBy"] == "caller"
    assert 1.1 < attempt["callSeconds"] < 4


async def test_a_wrong_key_is_noted_and_the_call_listens_on(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    number = "999111819901"  # 8, a second later 1
    attempt = await called(api, number, SHORT, **menu({"1": THANK}), maxDtmf=1)
    assert inputs_of(attempt) == [("8", None, []), ("1", "dtmf", ["key 1"])]
    assert in_order(await heard(lab, number), [await sounds.of(THANKS)])


async def test_keys_that_nobody_waits_for_are_kept_for_whoever_listens_next(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    """The first key comes during a pause that no key ends, the second during a prompt before a hang-up."""
    number = "999100199001"
    attempt = await called(api, number, SHORT, pause=1, **menu({"1": THANK}))
    assert inputs_of(attempt) == [("1", "dtmf", ["key 1"])]
    assert await sounds.of(SHORT) not in await heard(lab, number)


@pytest.mark.parametrize("turn", range(5))
async def test_keys_140_ms_apart_over_prompt_changes_come_once_and_in_order(api: ClientSession, turn: int) -> None:
    """Each key but the last, which ends the input before it, stops a prompt and begins another."""
    members = menu({"*": [{"say": UNKNOWN}], "1": ["repeat"]}, anyDtmf=[{"say": THANKS}, {"say": BYE}])
    attempts = await asyncio.gather(
        *(called(api, f"9992100{turn}{call:02}", MENU, **members, maxDtmf=1) for call in range(20))
    )
    for attempt in attempts:
        assert [keys for keys, _, _ in inputs_of(attempt) if keys] == list("1234567890*")


async def test_twelve_keys_are_one_input_of_a_scenario(lab: RunningLab, api: ClientSession) -> None:
    scenario = {
        "name": "keys",
        "script": [{"say": SHORT}, {"collectInto": "keys", "options": {"timeout": 2}}, {"say": "${keys}"}],
    }
    async with api.post("/voice/ivr/1/scenarios", json=scenario) as response:
        assert response.status == 200, await response.text()
        scenario_id = (await response.json())["id"]
    messages = [{"scenarioId": scenario_id, "from": "41790000000", "destinations": [{"to": "99921209901"}]}]
    async with api.post("/voice/ivr/1/messages", json={"messages": messages}) as response:
        assert response.status == 200, await response.text()
        token = (await response.json())["messages"][0]["messageId"]
    attempt = await attempt_of(api, token)
    assert inputs_of(attempt) == [("1234567890*", "collect", [])]
    assert attempt["collected"] == [{"variable": "keys", "keys": "1234567890*", "meaning": None}]
    assert len(attempt["spoken"]) == 2, "what was entered is spoken, made during the call"
