"""Messages with actions, on a line of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.scripts import Interpreter, Script, compile_click_to_call, compile_message
from bridge.scripts.commands import Audio, HangUp, KeysEntered, LimitReached, Play, Say, Silence
from bridge.scripts.events import HungUp, Key, Machine, Played, Timer
from bridge.scripts.verbs.dial import Dial, TransferEnded
from bridge.scripts.verbs.machine_detection import AwaitGreetingEnd, DetectMachine, GreetingEnded
from bridge.scripts.verbs.request import Request, Responded

if TYPE_CHECKING:
    from tests.unit.scripts.conftest import Line

ACTIONS: list[dict[str, Any]] = [
    {"if": "dtmf", "equals": "1", "actionGroup": "confirm"},
    {"if": "dtmf", "equals": "2", "actionGroup": "agent"},
    {"if": "anyDtmf", "actionGroup": "other"},
    {"if": "noDtmf", "actionGroups": ["remind", "bye"]},
]
GROUPS: dict[str, list[Any]] = {
    "confirm": [
        {"say": "Thank you."},
        {"request": "https://shop.example/confirm", "options": {"method": "POST"}},
        "hangup",
    ],
    "agent": [{"dial": "41793026700", "options": {"maxCallDuration": 45}}],
    "other": [{"say": "Unknown choice."}, "repeat"],
    "remind": [{"say": "We did not hear you."}],
    "bye": ["hangup"],
}


def menu(**members: Any) -> Script:
    return compile_message(text="Press 1 or 2.", **({"actions": ACTIONS, "action_groups": GROUPS} | members))


def test_a_plain_message_is_two_commands(line: Line) -> None:
    line.answer(compile_message(text="Hello", language="de", voice="Hans", speech_rate=1.5))
    line.finish_prompt()
    assert line.commands == [Play(1, Say("Hello", "de", "Hans", None, 1.5)), HangUp()]


def test_a_pause_comes_before_the_message(line: Line) -> None:
    line.answer(compile_message(audio_url="https://files.example/a.wav", pause=3))
    line.finish_prompt()
    line.finish_prompt()
    assert line.commands == [Play(1, Silence(3.0)), Play(2, Audio("https://files.example/a.wav")), HangUp()]


def test_a_message_is_spoken_exactly_as_it_was_written(line: Line) -> None:
    line.answer(compile_message(text="Pay ${amount}, please"), amount="5")
    assert line.said == ["Pay ${amount}, please"]


def test_a_key_that_nothing_listens_for_does_not_stop_a_message_but_is_reported(line: Line) -> None:
    line.answer(compile_message(text="Hello"))
    line.press("5")
    assert line.is_playing
    line.finish_prompt()
    assert line.inputs == [("5", None, ())]
    assert line.commands[-1] == HangUp()


def test_a_key_stops_the_message_at_once_and_its_group_answers(line: Line) -> None:
    line.answer(menu())
    line.press("1")
    assert line.said == ["Press 1 or 2.", "Thank you."]
    line.finish_prompt()
    assert line.inputs == [("1", "dtmf", ("confirm",))]
    assert [(request.url, request.method) for request in line.every(Request)] == [
        ("https://shop.example/confirm", "POST")
    ]
    assert line.was_ended_by_us


def test_a_key_during_the_pause_skips_the_message(line: Line) -> None:
    line.answer(menu(pause=5))
    line.press("1")
    assert line.said == ["Thank you."]


def test_the_farewell_is_not_cut_off_by_a_key(line: Line) -> None:
    line.answer(menu())
    line.press("1")
    line.press("7")
    assert line.is_playing
    line.finish_prompt()
    assert line.inputs == [("1", "dtmf", ("confirm",)), ("7", None, ())]


def test_a_hash_after_a_complete_input_is_no_input_of_its_own(line: Line) -> None:
    line.answer(menu())
    line.press("1#")
    line.finish_prompt()
    assert line.inputs == [("1", "dtmf", ("confirm",))]


def test_any_other_key_is_answered_at_once_and_the_message_repeats(line: Line) -> None:
    line.answer(menu())
    line.press("9")
    assert line.inputs == [("9", "anyDtmf", ("other",))]
    line.finish_prompt()
    assert line.said == ["Press 1 or 2.", "Unknown choice.", "Press 1 or 2."]


def test_a_hash_ends_an_input_at_once(line: Line) -> None:
    line.answer(menu(max_dtmf=4))
    line.press("99#")
    assert line.inputs == [("99", "anyDtmf", ("other",))]


def test_a_hash_alone_is_any_key(line: Line) -> None:
    line.answer(menu())
    line.press("#")
    assert line.inputs == [("#", "anyDtmf", ("other",))]


def test_silence_is_answered_after_the_time_to_press_a_key_counted_from_the_end_of_the_message(line: Line) -> None:
    line.answer(menu(dtmf_timeout=7))
    line.wait(60)
    line.finish_prompt()
    line.wait(6.9)
    assert line.inputs == []
    line.wait(0.2)
    assert line.inputs == [("", "noDtmf", ("remind", "bye"))]
    assert line.said[-1] == "We did not hear you."
    line.finish_prompt()
    assert line.was_ended_by_us


def test_without_an_action_for_silence_the_call_ends(line: Line) -> None:
    line.answer(compile_message(text="Hello", max_dtmf=3))
    line.finish_prompt()
    line.wait(10.1)
    assert line.inputs == []
    assert line.was_ended_by_us


def test_an_input_that_may_grow_waits_for_the_next_key(line: Line) -> None:
    actions = [
        {"if": "dtmf", "equals": "1", "actionGroup": "one"},
        {"if": "dtmf", "equals": "12", "actionGroup": "twelve"},
    ]
    groups = {"one": [{"say": "one"}], "twelve": [{"say": "twelve"}]}
    line.answer(compile_message(text="Hello", actions=actions, action_groups=groups))
    line.press("12")
    assert line.said[-1] == "twelve"
    line.finish_prompt()
    line.press("1")
    assert line.said[-1] == "twelve"
    line.wait(3.1)
    assert line.said[-1] == "one"


def fetch_then_listen(line: Line) -> None:
    """After a request that takes its time the callee can press one key or two."""
    first: dict[str, Any] = {"request": "https://shop.example/", "options": {"collectResponse": True}}
    actions = [{"if": "dtmf", "equals": keys, "actionGroup": "fetch"} for keys in ("1", "12")]
    line.answer(compile_message(text="Hello", actions=actions, action_groups={"fetch": [first]}))
    line.press("12")


def test_keys_that_were_typed_ahead_with_a_long_pause_between_them_are_two_inputs(line: Line) -> None:
    fetch_then_listen(line)
    line.press("1")
    line.press("2", every=3.5)
    line.happen(Responded(2, 200))
    assert [keys for keys, _, _ in line.inputs] == ["12", "1"]


def test_who_typed_ahead_has_the_full_time_for_the_next_key(line: Line) -> None:
    fetch_then_listen(line)
    line.press("1")
    line.wait(4.5)
    line.happen(Responded(2, 200))
    line.press("2", every=2.9)
    assert [keys for keys, _, _ in line.inputs] == ["12", "12"]


def test_a_key_that_comes_before_the_late_timer_begins_a_new_input(line: Line) -> None:
    line.answer(compile_message(text="Hello", max_dtmf=5))
    line.press("1")
    line.timers["keys"] += 1  # it is late
    line.press("2", every=3.1)
    assert line.inputs == [("1", None, ())]


def test_a_timer_that_was_replaced_while_it_fired_is_passed_over(line: Line) -> None:
    line.answer(compile_message(text="Hello", max_dtmf=5))
    line.press("1")
    line.press("2", every=2)
    line.happen(Timer("keys"))
    assert line.inputs == []


def test_a_specific_key_wins_wherever_it_stands(line: Line) -> None:
    line.answer(menu(actions=list(reversed(ACTIONS))))
    line.press("2")
    assert line.inputs == [("2", "dtmf", ("agent",))]


def test_an_input_is_complete_at_its_greatest_length(line: Line) -> None:
    line.answer(compile_message(text="Hello", max_dtmf=4))
    line.press("12345")
    line.wait(3.1)
    assert line.inputs == [("1234", None, ()), ("5", None, ())]


def test_a_wrong_key_is_reported_and_the_call_listens_again(line: Line) -> None:
    line.answer(menu(actions=ACTIONS[:2], action_groups={name: GROUPS[name] for name in ("confirm", "agent")}))
    line.press("7")
    assert line.inputs == [("7", None, ())]
    line.press("1")
    assert line.inputs[-1] == ("1", "dtmf", ("confirm",))


def test_after_a_group_the_call_listens_again(line: Line) -> None:
    actions = [{"if": "dtmf", "equals": "1", "actionGroup": "info"}]
    line.answer(compile_message(text="Hello", actions=actions, action_groups={"info": [{"say": "Info."}]}))
    line.press("1")
    line.finish_prompt()
    line.wait(9)
    line.press("1")
    assert line.inputs == [("1", "dtmf", ("info",))] * 2
    line.finish_prompt()
    line.wait(10.1)
    assert line.was_ended_by_us


def test_a_key_pressed_during_a_group_is_kept_for_the_next_input(line: Line) -> None:
    actions = [{"if": "dtmf", "equals": key, "actionGroup": f"g{key}"} for key in "12"]
    groups = {"g1": [{"dial": "41793026700"}], "g2": [{"say": "Two."}]}
    line.answer(compile_message(text="Hello", actions=actions, action_groups=groups))
    line.happen(Key("1"))
    assert line.every(Dial)[0].numbers == ("41793026700",)
    line.happen(Key("9"))
    line.happen(TransferEnded(line.every(Dial)[0].id, "busy"))
    line.happen(Key("2"))
    assert line.inputs == [("1", "dtmf", ("g1",)), ("2", "dtmf", ("g2",))], "the 9 was for the other side"


def test_twelve_keys_over_prompt_changes_are_twelve_inputs(line: Line) -> None:
    actions = [{"if": "dtmf", "equals": key, "actionGroup": "next"} for key in "0123456789"]
    groups = {"next": [{"say": "Next."}, {"pause": 1}]}
    line.answer(compile_message(text="Hello", actions=actions, action_groups=groups, pause=1))
    line.press("135792468013", every=0.14)
    line.wait(0.1)
    assert "".join(keys for keys, _, _ in line.inputs) == "135792468013"


def test_the_repeat_code_plays_the_message_again_five_times(line: Line) -> None:
    line.answer(compile_message(text="Hello", repeat_dtmf="9"))
    for _ in range(7):
        line.press("9")
    assert line.said == ["Hello"] * 6
    assert [action for _, action, _ in line.inputs] == ["repeatDtmf"] * 5 + [None] * 2


@pytest.mark.parametrize("keys", ["1", "2", "123"])
def test_a_repeat_code_works_as_a_whole_and_by_each_digit(line: Line, keys: str) -> None:
    line.answer(compile_message(text="Hello", repeat_dtmf="123#"))
    line.press(keys)
    line.wait(3.1)
    assert line.inputs == [(keys, "repeatDtmf", ())]
    assert line.said == ["Hello", "Hello"]


def test_an_action_goes_before_the_repeat_code_and_the_repeat_code_before_any_key(line: Line) -> None:
    line.answer(menu(repeat_dtmf="15", max_dtmf=2))
    line.press("5")
    line.press("1")
    line.wait(3.1)
    assert [action for _, action, _ in line.inputs] == ["repeatDtmf", "dtmf"]


def test_a_call_answers_twenty_inputs_at_most(line: Line) -> None:
    actions = [{"if": "anyDtmf", "actionGroup": "again"}]
    line.answer(compile_message(text="Hello", actions=actions, action_groups={"again": ["repeat"]}, max_dtmf=1))
    for _ in range(30):
        line.press("1")
    assert [action for _, action, _ in line.inputs] == ["anyDtmf"] * 20 + [None]
    assert line.every(LimitReached) == [LimitReached("rounds")]
    assert line.was_ended_by_us


def test_a_call_transfer_joins_and_then_ends_the_call(line: Line) -> None:
    transfers = [{"if": "DTMF", "equals": "1", "transferTo": "+41793026700", "callTransferMaxDuration": 60}]
    line.answer(compile_message(text="Hello", call_transfers=transfers))
    line.press("1")
    (dial,) = line.every(Dial)
    assert (dial.numbers, dial.max_seconds) == (("41793026700",), 60)
    line.happen(TransferEnded(dial.id, "answered", 12))
    assert line.inputs == [("1", "callTransfer", ())]
    assert line.was_ended_by_us


def test_a_call_transfer_that_nobody_answers_leaves_the_callee_the_choice(line: Line) -> None:
    line.answer(compile_message(text="Hello", call_transfers=[{"if": "anyDtmf", "transferTo": "41793026700"}]))
    line.press("5#")
    line.happen(TransferEnded(line.every(Dial)[0].id, "busy"))
    assert not line.was_ended_by_us
    line.press("6#")
    assert len(line.every(Dial)) == 2


def test_a_machine_is_hung_up_on_without_a_word(line: Line) -> None:
    line.answer(menu(machine_detection="hangup"))
    assert line.every(DetectMachine)
    line.happen(Machine("machine"))
    assert line.said == []
    assert line.was_ended_by_us


@pytest.mark.parametrize("answered_by", ["human", "unknown"])
def test_anybody_else_hears_the_message(line: Line, answered_by: Any) -> None:
    line.answer(menu(machine_detection="hangup"))
    line.happen(Machine(answered_by))
    assert line.said == ["Press 1 or 2."]


def test_a_detector_that_never_decides_does_not_hold_the_call(line: Line) -> None:
    line.answer(menu(machine_detection="hangup"))
    line.wait(10.1)
    assert line.said == ["Press 1 or 2."]


def test_a_machine_gets_the_message_after_its_greeting_and_is_asked_nothing(line: Line) -> None:
    line.answer(menu(machine_detection="continue"))
    line.happen(Machine("machine"))
    assert line.every(AwaitGreetingEnd)
    assert line.said == []
    line.happen(GreetingEnded())
    line.finish_prompt()
    assert line.said == ["Press 1 or 2."]
    assert line.was_ended_by_us


def test_a_human_can_press_keys_during_the_message_although_machines_are_looked_for(line: Line) -> None:
    line.answer(menu(machine_detection="continue"))
    line.happen(Machine("human"))
    line.press("1")
    assert line.said == ["Press 1 or 2.", "Thank you."]


def test_what_came_between_the_answer_and_the_first_command_counts() -> None:
    script = menu(machine_detection="hangup")
    interpreter = Interpreter(script, {})
    assert interpreter.handle(Machine("human"), 0) == []
    assert interpreter.handle(Key("2"), 0.1) == []
    assert interpreter.start(0.2) == [
        KeysEntered("2", "dtmf", ("agent",)),
        Dial(1, ("41793026700",), None, 30, 45, None),
    ]


def test_keys_that_were_entered_when_the_callee_hung_up_are_reported(line: Line) -> None:
    line.answer(menu(max_dtmf=4))
    line.press("99")
    line.hang_up()
    assert line.inputs == [("99", None, ())]
    assert not line.was_ended_by_us


def test_nothing_is_commanded_after_the_call(line: Line) -> None:
    line.answer(menu())
    line.hang_up()
    count = len(line.commands)
    for event in (Key("1"), Played(1), HungUp(), Machine("human")):
        line.happen(event)
    assert len(line.commands) == count


def test_click_to_call_speaks_to_the_first_and_joins_the_second(line: Line) -> None:
    script = compile_click_to_call(
        destination_b="41793026700", caller_id="41793026701", text="Connecting.", max_duration=60, warning_time=5
    )
    line.answer(script)
    line.finish_prompt()
    (dial,) = line.every(Dial)
    assert (dial.numbers, dial.caller_id) == (("41793026700",), "41793026701")
    assert (dial.max_seconds, dial.warning_seconds) == (60, 5)
    line.happen(TransferEnded(dial.id, "answered", 60))
    assert line.was_ended_by_us


def test_prompts_are_known_before_the_call() -> None:
    prompts = menu(pause=2).prompts({})
    texts = ["Press 1 or 2.", "Thank you.", "Unknown choice.", "We did not hear you."]
    assert prompts == [Silence(2.0), *map(Say, texts)]
