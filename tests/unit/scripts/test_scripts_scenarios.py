"""IVR scenarios, on a line of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.scripts import compile_scenario
from bridge.scripts.commands import Audio, LimitReached, Play, RecordedAudio, Say, Silence, Tty, UploadedAudio
from bridge.scripts.events import Machine
from bridge.scripts.verbs.dial import Dial, TransferEnded
from bridge.scripts.verbs.record import Recorded, StartRecord, StopRecord
from bridge.scripts.verbs.request import Request, Responded

if TYPE_CHECKING:
    from tests.unit.scripts.conftest import Line


def run(line: Line, script: list[Any], **variables: object) -> Line:
    return line.answer(compile_scenario(script), **variables)


def finish_all(line: Line) -> list[str]:
    while line.is_playing:
        line.finish_prompt()
    return line.said


def test_a_scenario_speaks_with_its_parameters_and_hangs_up(line: Line) -> None:
    options = {"language": "DE", "voice": {"name": "Hans", "gender": "MALE"}, "speechRate": 9}
    run(
        line, [{"say": "Dear ${name}, call from ${from}.", "options": options}, "hangup"], name="Ana", **{"from": "123"}
    )
    assert line.every(Play)[0].prompt == Say("Dear Ana, call from 123.", "de", "Hans", "male", 2.0)
    line.finish_prompt()
    assert line.was_ended_by_us


def test_everything_that_can_be_played(line: Line) -> None:
    run(
        line,
        [
            {"playFromUrl": "https://files.example/${file}.wav", "options": {"loopCount": 3}},
            {"playFromUpload": "A1", "options": {"loopCount": 2}},
            {"playFromRecording": None},
            {"playFromRecording": 1},
            {"playFromRecording": "${who}"},
            {"playTty": "Hello"},
            {"pause": 2.5},
        ],
        file="a",
        who="ana",
    )
    finish_all(line)
    assert [(play.prompt, play.loops) for play in line.every(Play)] == [
        (Audio("https://files.example/a.wav"), 3),
        (UploadedAudio("A1"), 2),
        (RecordedAudio(None), 1),
        (RecordedAudio(1), 1),
        (RecordedAudio("ana"), 1),
        (Tty("Hello"), 1),
        (Silence(2.5), 1),
    ]


def test_collected_keys_are_a_variable_with_a_meaning(line: Line) -> None:
    options = {"maxInputLength": 1, "mappedValues": {"1": "English"}}
    run(line, [{"say": "Language?"}, {"collectInto": "lang", "options": options}, {"say": "${lang} ${lang_Meaning}"}])
    line.press("1")
    assert line.said == ["Language?", "1 English"]
    assert line.inputs == [("1", "collect", ())]
    assert line.collected == {"lang": "1"}


def test_collecting_ends_at_hash_or_after_its_time(line: Line) -> None:
    run(line, [{"collectInto": "a"}, {"collectInto": "b", "options": {"timeout": 7}}, {"say": "${a}-${b}."}])
    line.press("12#")
    line.press("34", every=6)
    line.wait(7.1)
    assert line.said == ["12-34."]


def test_nothing_collected_is_an_empty_text(line: Line) -> None:
    run(line, [{"collectInto": "a"}, {"if": "${a == ''}", "then": [{"say": "Nothing."}]}])
    line.wait(5.1)
    assert line.said == ["Nothing."]
    assert (line.inputs, line.collected) == ([], {"a": ""})


@pytest.mark.parametrize(("reports", "shown"), [("ALWAYS", "1234"), ("MASKED", "****"), ("NEVER", None)])
def test_a_secret_is_heard_but_not_reported(line: Line, reports: str, shown: str | None) -> None:
    run(line, [{"collectInto": "pin", "options": {"sendToReports": reports}}, {"say": "${pin}"}])
    line.press("1234#")
    assert line.said == ["1234"]
    assert line.collected.get("pin") == shown
    assert [keys for keys, _, _ in line.inputs] == ([] if shown is None else [shown])


def test_a_secret_that_was_not_finished_is_masked_too(line: Line) -> None:
    run(line, [{"collectInto": "pin", "options": {"sendToReports": "NEVER"}}])
    line.press("12")
    line.hang_up()
    assert line.inputs == [("**", None, ())]


def test_capture_takes_keys_in_place_of_speech(line: Line) -> None:
    run(line, [{"capture": "answer", "timeout": 5, "dtmfOptions": {"maxInputLength": 2}}, {"say": "${answer}"}])
    line.press("42")
    assert line.said == ["42"]
    assert line.inputs == [("42", "capture", ())]


@pytest.mark.parametrize(("choice", "said"), [("1", "One."), ("2", "Two."), ("7", "Other.")])
def test_switch_chooses_by_value(line: Line, choice: str, said: str) -> None:
    cases = {"1": [{"say": "One."}], "2": [{"say": "Two."}], "__default": [{"say": "Other."}]}
    run(line, [{"switch": "v", "case": cases}, {"say": "End."}], v=choice)
    assert finish_all(line) == [said, "End."]


def test_if_then_else(line: Line) -> None:
    run(
        line,
        [
            {"if": "${v == '1' || v == 'yes'}", "then": [{"say": "Yes."}], "else": [{"say": "No."}]},
            {"if": "${v == '2'}", "then": [{"say": "Two."}], "else": [{"say": "Not two."}]},
        ],
        v="yes",
    )
    assert finish_all(line) == ["Yes.", "Not two."]


def test_loops_go_round_as_often_as_they_say(line: Line) -> None:
    count = {"setVariable": "n", "value": "${n + 1}"}
    run(
        line,
        [
            {"setVariable": "n", "value": 0},
            {"while": "${n < 2}", "do": [{"say": "w${n}"}, count]},
            {"repeat": [{"say": "r${n}"}, count], "while": "${n < 4}"},
            {"repeat": [{"say": "u${n}"}, count], "until": "${n >= 6}"},
            {"for-each": "x", "in": "a, b,,${last}", "do": [{"say": "${x}"}]},
            {"for-each": "x", "in": "c;d", "delimiter": ";", "do": [{"say": "${x}"}]},
        ],
        last="z",
    )
    assert finish_all(line) == ["w0", "w1", "r2", "r3", "u4", "u5", "a", "b", "z", "c", "d"]


def test_a_loop_in_a_loop_begins_anew_each_time(line: Line) -> None:
    inner = {"for-each": "y", "in": "1,2", "do": [{"say": "${x}${y}"}]}
    run(line, [{"for-each": "x", "in": "a,b", "do": [inner]}])
    assert finish_all(line) == ["a1", "a2", "b1", "b2"]


def test_go_to_jumps_as_often_as_its_limit_and_counts(line: Line) -> None:
    run(
        line,
        [
            {"say": "Menu ${times}", "actionId": 1},
            {"goTo": 1, "options": {"goToLimit": 2, "countVariable": "times"}},
            {"say": "Bye."},
        ],
    )
    assert finish_all(line) == ["Menu ", "Menu 1", "Menu 2", "Bye."]


def test_a_loop_without_end_is_left_and_a_script_without_end_is_cut_short(line: Line) -> None:
    spin: list[Any] = [{"setVariable": "x", "value": "1"}]
    for _ in range(5):
        spin = [{"while": "${a != b}", "do": spin}]
    run(line, [{"say": "Hello"}, *spin, {"say": "Never."}], a="1")
    line.finish_prompt()
    assert line.said == ["Hello"]
    assert line.every(LimitReached) == [LimitReached("steps")]
    assert line.was_ended_by_us


def test_a_body_that_is_json_goes_out_as_json(line: Line) -> None:
    options = {"method": "POST", "body": {"payload": "${to} answered", "ok": [True]}}
    run(line, [{"request": "https://shop.example/", "options": options}], to="41793026727")
    (request,) = line.every(Request)
    assert request.body is not None
    assert json.loads(request.body) == {"payload": "41793026727 answered", "ok": [True]}


def test_dialling_one_after_the_other_until_one_answers(line: Line) -> None:
    options = {"senderId": "+41793026701", "maxCallDuration": 60, "ringTimeout": 20}
    numbers = [{"number": "+41793026700"}, {"numbers": "41793026702,41793026703"}, {"number": "${mine}"}]
    run(line, [{"dialToMany": numbers, "options": options}, {"say": "${dialResult} ${dialDuration}"}], mine="none")
    line.happen(TransferEnded(1, "busy"))
    line.happen(TransferEnded(2, "answered", 31.5))
    assert line.every(Dial) == [
        Dial(1, ("41793026700",), "41793026701", 20, 60, None),
        Dial(2, ("41793026702",), "41793026701", 20, 60, None),
    ]
    assert line.said == ["answered 31.5"]


def test_dialling_all_at_once(line: Line) -> None:
    numbers = [{"number": "41793026700"}, {"number": "41793026702"}]
    run(line, [{"dialToMany": numbers, "options": {"parallel": True}}])
    assert [dial.numbers for dial in line.every(Dial)] == [("41793026700", "41793026702")]


def test_a_number_that_turns_out_to_be_none_is_not_dialled(line: Line) -> None:
    run(line, [{"dial": "${number}"}, {"say": "${dialResult}"}], number="0800 EVIL")
    assert line.every(Dial) == []
    assert line.said == ["failed"]


def test_recording_ends_at_an_escape_key_which_is_no_input(line: Line) -> None:
    options = {"escapeDigits": "#", "beep": True, "maxSilence": 3, "identifier": "${who}"}
    record = {"record": 20, "options": options}
    run(line, [{"say": "Speak."}, record, {"say": "${recordDuration} s"}, {"playFromRecording": None}], who="ana")
    line.finish_prompt()
    assert line.every(StartRecord) == [StartRecord(2, 20, 3, True, "#", "ana", "#/script/1")]
    line.press("#")
    assert line.every(StopRecord) == [StopRecord(2)]
    assert line.said == ["Speak.", "1.5 s"]
    finish_all(line)
    assert line.inputs == []


def test_a_recording_within_a_branch_has_its_pointer(line: Line) -> None:
    run(line, [{"if": "${1}", "then": [{"pause": 1}, {"record": None}]}])
    line.finish_prompt()
    assert line.every(StartRecord)[0].pointer == "#/script/0/then/1"
    line.happen(Recorded(2, 9))
    assert line.was_ended_by_us


def test_a_request_does_not_hold_the_call(line: Line) -> None:
    options = {"method": "post", "headers": {"X-Key": "${key}"}, "body": '{"pin": "${pin}"}'}
    run(
        line,
        [{"request": "https://shop.example/?q=${q}", "options": options}, {"say": "Next."}],
        q="a b&c",
        key="k\r\nx",
    )
    assert line.every(Request) == [
        Request(1, "https://shop.example/?q=a%20b%26c", "POST", (("X-Key", "k x"),), '{"pin": ""}', awaited=False)
    ]
    assert line.said == ["Next."]


def test_a_response_is_collected_into_variables(line: Line) -> None:
    options = {"method": "GET", "collectResponse": True}
    run(line, [{"request": "https://shop.example/", "options": options}, {"say": "${balance} ${ok} ${requestStatus}"}])
    assert line.said == []
    line.happen(Responded(1, 200, {"balance": 12345, "ok": True, "list": [1], "bad name": "x"}))
    assert line.said == ["12345 true 200"]


def test_a_response_that_never_comes_does_not_hold_the_call(line: Line) -> None:
    run(line, [{"request": "https://shop.example/", "options": {"collectResponse": True}}, {"say": "${requestStatus}"}])
    line.wait(5.1)
    assert line.said == ["0"]
    line.happen(Responded(1, 200, {}))
    assert line.said == ["0"]


def test_a_url_that_turns_out_to_be_none_is_not_requested(line: Line) -> None:
    run(line, [{"request": "${url}"}, {"say": "Next."}], url="file:///etc/passwd")
    assert line.every(Request) == []
    assert line.said == ["Next."]


@pytest.mark.parametrize(("answered_by", "said"), [("machine", "M"), ("human", "H"), ("unknown", "U")])
def test_detection_branches(line: Line, answered_by: Any, said: str) -> None:
    branches = {"onMachineDetected": [{"say": "M"}], "onHumanDetected": [{"say": "H"}], "onTimeout": [{"say": "U"}]}
    run(line, [{"answeringMachineDetection": branches}, {"say": "End."}])
    line.happen(Machine(answered_by))
    assert finish_all(line) == [said, "End."]


def test_the_word_machine_detection_hangs_up_on_a_machine(line: Line) -> None:
    run(line, ["machineDetection", {"say": "Hello"}])
    line.happen(Machine("machine"))
    assert line.said == []
    assert line.was_ended_by_us


def test_keys_typed_ahead_skip_the_prompts_before_the_next_collect(line: Line) -> None:
    collect = {"maxInputLength": 2}
    script = [
        {"say": "First?"},
        {"collectInto": "a", "options": collect},
        {"say": "Second?"},
        {"collectInto": "b", "options": collect},
        {"say": "${a}, ${b}."},
    ]
    run(line, script)
    line.press("1234")
    assert line.said[-1] == "12, 34."


def test_keys_pressed_while_a_response_is_awaited_are_kept(line: Line) -> None:
    request = {"request": "https://shop.example/", "options": {"collectResponse": True}}
    run(line, [request, {"say": "Choose."}, {"collectInto": "a", "options": {"maxInputLength": 1}}, {"say": "${a}!"}])
    line.press("7")
    line.happen(Responded(1, 204))
    assert line.said == ["7!"]


def test_a_text_that_turns_out_empty_is_passed_over(line: Line) -> None:
    run(line, [{"say": "${nothing}"}, {"say": "Next."}])
    assert line.said == ["Next."]


def test_prompts_that_depend_on_the_call_are_not_known_before_it() -> None:
    script = compile_scenario(
        [
            {"say": "Dear ${name}"},
            {"collectInto": "pin"},
            {"say": "You entered ${pin}"},
            {"playFromUrl": "https://files.example/a.wav"},
            {"playFromRecording": None},
        ]
    )
    assert script.prompts({"name": "Ana"}) == [Say("Dear Ana"), Audio("https://files.example/a.wav")]


def test_a_collected_response_may_change_every_variable() -> None:
    request = {"request": "https://shop.example/", "options": {"collectResponse": True}}
    script = compile_scenario([request, {"say": "Dear ${name}"}, {"say": "Bye"}])
    assert script.prompts({"name": "Ana"}) == [Say("Bye")]
