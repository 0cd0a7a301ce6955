"""When an input is complete: as early as nothing more can change what it chooses, and never earlier."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from bridge.scripts import Script, compile_message, compile_scenario
from bridge.scripts.commands import KeysEntered, VariableCollected
from tests.unit.scripts.conftest import Line

KEYS = "12*"
LONGEST = 3
CONTINUATIONS = ["".join(keys) for length in range(1, LONGEST + 1) for keys in product(KEYS, repeat=length)]


def menu(codes: set[str], *, any_keys: bool = True, max_dtmf: int | None = None, repeat: str | None = None) -> Script:
    """Every choice performs a group that takes no time."""
    actions = [{"if": "dtmf", "equals": code, "actionGroup": "nothing"} for code in sorted(codes)]
    actions += [{"if": "anyDtmf", "actionGroup": "nothing"}] if any_keys else []
    groups = {"nothing": [{"setVariable": "a", "value": 1}]} if actions else None
    return compile_message(text="Hello", actions=actions, action_groups=groups, max_dtmf=max_dtmf, repeat_dtmf=repeat)


def listening(script: Script) -> Line:
    line = Line().answer(script)
    line.finish_prompt()
    return line


def inputs(line: Line) -> list[tuple[str, str | None]]:
    return [(entered.keys, entered.action) for entered in line.every(KeysEntered)]


def test_a_key_that_begins_no_code_is_answered_at_once() -> None:
    line = listening(menu({"1", "42"}))
    line.press("7")
    assert inputs(line) == [("7", "anyDtmf")]
    line.press("4")
    assert inputs(line) == [("7", "anyDtmf")], "it may become 42"
    line.press("3")
    assert inputs(line) == [("7", "anyDtmf"), ("43", "anyDtmf")]


def test_a_wrong_key_is_noted_at_once_and_the_next_one_chooses() -> None:
    line = listening(menu({"1", "42"}, any_keys=False))
    line.press("71")
    assert inputs(line) == [("7", None), ("1", "dtmf")]


def test_nobody_is_hung_up_on_for_wrong_keys() -> None:
    line = listening(menu({"1", "42"}, any_keys=False))
    line.press("7" * 40)
    line.press("1")
    assert inputs(line)[-1] == ("1", "dtmf")
    assert not line.was_ended_by_us


def test_a_key_that_begins_no_code_waits_for_as_many_as_are_asked_for() -> None:
    line = listening(menu({"1", "42"}, max_dtmf=4))
    line.press("789")
    assert inputs(line) == []
    line.press("0")
    assert inputs(line) == [("7890", "anyDtmf")]


def test_each_key_is_an_input_where_any_key_will_do() -> None:
    line = listening(menu(set()))
    line.press("7")
    assert inputs(line) == [("7", "anyDtmf")]


def test_a_code_that_is_longer_than_an_input_may_be_is_not_waited_for() -> None:
    line = listening(menu({"1"}, max_dtmf=2, repeat="123"))
    line.press("1")
    assert inputs(line) == [("1", "dtmf")]


def test_a_key_that_begins_no_repeat_code_is_answered_at_once() -> None:
    line = listening(menu({"1"}, repeat="45"))
    line.press("7")
    assert inputs(line) == [("7", "anyDtmf")]
    line.press("4")
    assert inputs(line) == [("7", "anyDtmf")], "it may become 45"


def test_a_hash_after_a_wrong_key_is_no_input_of_its_own() -> None:
    line = listening(menu({"1", "42"}))
    line.press("7#")
    assert inputs(line) == [("7", "anyDtmf")]


def test_a_variable_is_collected_up_to_its_length_whatever_keys_have_a_meaning() -> None:
    options = {"maxInputLength": 3, "timeout": 5, "mappedValues": {"1": "yes", "2": "no"}}
    line = Line().answer(compile_scenario([{"collectInto": "v", "options": options}]))
    line.press("78")
    assert line.every(VariableCollected) == []
    line.press("9")
    assert [collected.keys for collected in line.every(VariableCollected)] == ["789"]


@given(
    codes=st.sets(st.text(KEYS, min_size=1, max_size=LONGEST), min_size=0, max_size=5),
    any_keys=st.booleans(),
    more=st.none() | st.integers(0, 2),
    pressed=st.text(KEYS + "#", max_size=14),
)
def test_an_input_is_complete_as_soon_as_no_key_can_change_what_it_chooses(
    codes: set[str], any_keys: bool, more: int | None, pressed: str
) -> None:
    if not codes and not any_keys:
        return  # nothing listens
    longest = max(map(len, codes), default=1)
    max_dtmf = None if more is None else longest + more
    line = listening(menu(codes, any_keys=any_keys, max_dtmf=max_dtmf))
    complete: list[str] = []
    begun, last_was_complete = "", False
    for key in pressed:
        line.press(key)
        if key == "#":
            if begun or not last_was_complete:
                complete.append(begun or "#")
            begun, last_was_complete = "", False
        else:
            begun += key
            last_was_complete = not can_change(begun, codes, max_dtmf)
            if last_was_complete:
                complete.append(begun)
                begun = ""
        assert [entered.keys for entered in line.every(KeysEntered)] == complete
    if begun:
        line.wait(2.9)
        assert [entered.keys for entered in line.every(KeysEntered)] == complete
        line.wait(0.2)
        assert [entered.keys for entered in line.every(KeysEntered)] == [*complete, begun]


def can_change(keys: str, codes: set[str], max_dtmf: int | None) -> bool:
    """Whether what is entered can become a code yet, or no code is entered and more keys are asked for."""
    if max_dtmf is not None and len(keys) >= max_dtmf:
        return False
    if any(keys + further in codes for further in CONTINUATIONS):
        return True
    return keys not in codes and max_dtmf is not None
