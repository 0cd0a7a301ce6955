"""What is wrong with a script is said for each member, under its path."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.scripts import ScriptInvalid, compile_message, compile_scenario

ONE: list[Any] = [{"if": "dtmf", "equals": "1", "actionGroup": "agent"}]


def problems_of_message(**members: Any) -> dict[str, list[str]]:
    with pytest.raises(ScriptInvalid) as caught:
        compile_message(text="Hello", **members)
    return caught.value.problems


def problems_of_scenario(script: Any) -> dict[str, list[str]]:
    with pytest.raises(ScriptInvalid) as caught:
        compile_scenario(script)
    return caught.value.problems


def test_all_problems_are_named_at_once() -> None:
    problems = problems_of_message(
        actions=[
            {"if": "dtmf", "equals": "1", "actionGroup": "agent"},
            {"if": "dtmf", "equals": "1", "actionGroup": "nobody"},
            {"if": "sometimes", "actionGroup": "agent"},
            {"if": "noDtmf"},
            "hangup",
        ],
        action_groups={"agent": [{"dial": "hello"}, {"sing": "la"}], "lonely": ["hangup"]},
        call_transfers=[{"if": "anyDtmf", "transferTo": "1"}],
        repeat_dtmf="x",
    )
    assert problems == {
        "actions[1].actionGroup": ["there is no action group 'nobody'"],
        "actions[1].equals": ["'1' is chosen by another entry already"],
        "actions[2].if": ["must be one of dtmf, anyDtmf, noDtmf"],
        "actions[3].actionGroup": ["is missing"],
        "actions[4]": ["must be an object"],
        "callTransfers[0].transferTo": ["must have 4 to 15 digits"],
        "repeatDtmf": ["must be keys: 0-9, * and A-D; # ends an input and cannot be collected"],
        "actionGroups.agent[0].dial": ["must be a telephone number in digits: 'hello' are letters"],
        "actionGroups.agent[1]": ["is not an action: none begins with sing"],
        "actionGroups.lonely": ["no action performs the group 'lonely'"],
    }


def test_groups_may_be_a_list_and_their_paths_follow() -> None:
    groups = [{"name": "agent", "actions": [{"dial": "x"}]}, {"name": "agent", "actions": []}, {"actions": []}]
    assert list(problems_of_message(actions=ONE, action_groups=groups)) == [
        "actionGroups[1].name",
        "actionGroups[2].name",
        "actionGroups[0].actions[0].dial",
    ]


def test_a_list_of_groups_means_what_a_map_means() -> None:
    as_list = [{"name": "agent", "actions": [{"say": "Hi"}]}]
    as_map = {"agent": [{"say": "Hi"}]}
    scripts = [compile_message(text="x", actions=ONE, action_groups=groups) for groups in (as_list, as_map)]
    assert scripts[0] == scripts[1]


@pytest.mark.parametrize(
    ("members", "path", "text"),
    [
        ({"actions": {}, "action_groups": {"a": []}}, "actions", "must be a list"),
        ({"actions": ONE, "action_groups": "agent"}, "actionGroups", "must be an object"),
        ({"actions": ONE, "action_groups": {"agent": "hangup"}}, "actionGroups.agent", "must be a list of actions"),
        (
            {"actions": [{"if": "dtmf", "actionGroup": "a"}], "action_groups": {"a": []}},
            "actions[0].equals",
            "is missing",
        ),
        ({"actions": ONE, "action_groups": {"agent": []}, "max_dtmf": True}, "maxDtmf", "must be a number"),
        (
            {"actions": ONE, "action_groups": {"agent": ["goHome"]}},
            "actionGroups.agent[0]",
            "'goHome' is not an action",
        ),
        ({"call_transfers": [{"if": "noDtmf", "transferTo": "41793026700"}]}, "callTransfers[0].if", "must be one of"),
    ],
)
def test_a_wrong_action_is_refused(members: dict[str, Any], path: str, text: str) -> None:
    assert text in problems_of_message(**members)[path][0]


def test_an_input_that_can_never_be_entered_is_refused() -> None:
    actions = [{"if": "dtmf", "equals": "123", "actionGroup": "agent"}]
    problems = problems_of_message(actions=actions, action_groups={"agent": []}, max_dtmf=2)
    assert problems == {"maxDtmf": ["is too small: 123 could never be entered"]}


def test_a_repeat_code_longer_than_an_input_is_taken_since_it_has_been_documented() -> None:
    assert compile_message(text="Hello", repeat_dtmf="123#", max_dtmf=1)


@pytest.mark.parametrize(
    ("verb", "member", "text"),
    [
        ({"say": ""}, "say", "has nothing that can be spoken"),
        ({"say": ",,,"}, "say", "has nothing that can be spoken"),
        ({"say": "x" * 1401}, "say", "is longer than 1400"),
        ({"say": 5}, "say", "must be a string"),
        ({"say": "${a == }"}, "say", "has '}' where a value was expected"),
        ({"say": "Hi", "options": {"speechRate": "fast"}}, "options.speechRate", "must be a number"),
        ({"say": "Hi", "options": []}, "options", "must be an object"),
        ({"playFromUrl": "ftp://x/a.wav"}, "playFromUrl", "must be an http or https URL"),
        ({"playFromUrl": "http://"}, "playFromUrl", "must name a host"),
        ({"playFromUrl": "http://a/ b"}, "playFromUrl", "must not contain spaces"),
        ({"playFromUrl": "http://a/b", "options": {"loopCount": 11}}, "options.loopCount", "must be from 1 to 10"),
        ({"playFromRecording": 1.5}, "playFromRecording", "must be a whole number"),
        ({"collectInto": "my var"}, "collectInto", "must be the name of a variable"),
        ({"collectInto": None}, "collectInto", "is missing"),
        ({"collectInto": "v", "options": {"timeout": 31}}, "options.timeout", "must be from 1 to 30"),
        ({"collectInto": "v", "options": {"sendToReports": "SOMETIMES"}}, "options.sendToReports", "must be one of"),
        ({"dial": "+0800 EVIL"}, "dial", "'EVIL' are letters"),
        ({"dial": "41793026700\r\nAction: x"}, "dial", "are letters"),
        ({"dial": "123"}, "dial", "must have 4 to 15 digits"),
        ({"dial": "41793026700,,5"}, "dial", "must be without an extension"),
        ({"dial": "1234567890123456"}, "dial", "must have 4 to 15 digits"),
        ({"dial": "41793026700", "options": {"senderId": "Ana"}}, "options.senderId", "'Ana' are letters"),
        ({"dial": "41793026700", "options": {"maxCallDuration": 0}}, "options.maxCallDuration", "must be from 1"),
        ({"dialToMany": []}, "dialToMany", "must list at least one number"),
        ({"dialToMany": [{"number": "x"}]}, "dialToMany[0].number", "must be a telephone number"),
        ({"dialToMany": [{"numbers": "1,2"}]}, "dialToMany[0].numbers", "must have 4 to 15 digits"),
        ({"record": 0}, "record", "must be from 1 to 3600"),
        ({"record": 5, "options": {"escapeDigits": "x"}}, "options.escapeDigits", "must be keys"),
        ({"request": "javascript:alert(1)"}, "request", "must be an http or https URL"),
        ({"request": "http://a", "options": {"method": "TRACE"}}, "options.method", "must be one of GET, POST"),
        (
            {"request": "http://a", "options": {"headers": {"Host": "x"}}},
            "options.headers.Host",
            "cannot be set|can be set",
        ),
        ({"pause": 6}, "pause", "must be from 0 to 5"),
        ({"pause": 0}, "pause", "must be more than 0"),
        ({"pause": float("nan")}, "pause", "must be from 0 to 5"),
        ({"sendSms": {"text": "x"}}, "sendSms", "nothing here to send an SMS with"),
        ({"dialToWebRTC": "x"}, "dialToWebRTC", "only telephone numbers can be dialled"),
        ({"dialToConversations": "x"}, "dialToConversations", "only telephone numbers can be dialled"),
        ({"if": "${a", "then": []}, "if", "has the end where '}' was expected"),
        ({"if": "a"}, "then", "is missing"),
        ({"switch": "a"}, "case", "is missing"),
        ({"while": "a"}, "do", "is missing"),
        ({"repeat": []}, "while", "is missing"),
        ({"for-each": "x", "do": []}, "in", "is missing"),
        ({"goTo": 9}, "goTo", "no action here has the actionId 9"),
        ({"goTo": 1, "actionId": 1, "options": {"goToLimit": 101}}, "options.goToLimit", "must be from 1 to 100"),
        ({"setVariable": "v", "value": [1]}, "value", "must be a text, a number"),
    ],
)
def test_a_wrong_verb_is_refused_under_its_path(verb: dict[str, Any], member: str, text: str) -> None:
    problems = problems_of_scenario([{"pause": 1}, verb])
    path = f"script[1].{member}"
    assert list(problems) == [path]
    assert any(part in problems[path][0] for part in text.split("|"))


@pytest.mark.parametrize(
    ("script", "path"),
    [
        (None, "script"),
        ({}, "script"),
        ([], "script"),
        ([1], "script[0]"),
        (["jump"], "script[0]"),
        (["repeat"], "script[0]"),
        ([{}], "script[0]"),
        ([{"say": "a", "dial": "41793026700"}], "script[0]"),
        ([{"say": "a", "actionId": 1}, {"say": "b", "actionId": 1}], "script[1].actionId"),
        ([{"if": "a", "then": [{"switch": "b", "case": {"1": [{"say": ""}]}}]}], "script[0].then[0].case.1[0].say"),
    ],
)
def test_a_wrong_scenario_is_refused_under_its_path(script: Any, path: str) -> None:
    assert list(problems_of_scenario(script)) == [path]


def test_a_loop_that_never_ends_is_refused() -> None:
    problems = problems_of_scenario([{"while": "${true}", "do": [{"say": "Hello"}]}])
    assert "never ends" in problems["script[0].while"][0]
    assert compile_scenario([{"while": "${true}", "do": [{"say": "Hello"}, {"if": "${a}", "then": ["hangup"]}]}])


def test_nesting_has_a_limit() -> None:
    script: list[Any] = [{"say": "Hello"}]
    for _ in range(1000):
        script = [{"if": "${a}", "then": script}]
    (path,) = problems_of_scenario(script)
    assert path == "script[0]" + ".then[0]" * 15 + ".then"


def test_the_number_of_verbs_has_a_limit() -> None:
    assert compile_scenario([{"say": "Hello"}] * 1000)
    assert list(problems_of_scenario([{"say": "Hello"}] * 5000)) == ["script[1000]"]


def test_the_number_of_problems_has_a_limit() -> None:
    assert len(problems_of_scenario(["nonsense"] * 900)) == 100


def test_ids_of_actions_belong_to_their_group() -> None:
    groups = {"agent": [{"say": "a", "actionId": 1}, {"goTo": 1}], "other": [{"goTo": 1}]}
    actions = [*ONE, {"if": "anyDtmf", "actionGroup": "other"}]
    assert list(problems_of_message(actions=actions, action_groups=groups)) == ["actionGroups.other[0].goTo"]
