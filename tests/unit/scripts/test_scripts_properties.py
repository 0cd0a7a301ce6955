"""Whatever the script and whatever happens: calls end, nothing follows the end, no key is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.scripts import Interpreter, Script, ScriptInvalid, compile_message, compile_scenario, limits
from bridge.scripts.commands import (
    CancelTimer,
    Command,
    HangUp,
    KeysEntered,
    LimitReached,
    Play,
    SetTimer,
    Stop,
    VariableCollected,
)
from bridge.scripts.events import Event, HungUp, Key, Machine, Played, Timer
from bridge.scripts.verbs.dial import Dial, TransferEnded
from bridge.scripts.verbs.machine_detection import AwaitGreetingEnd, DetectMachine, GreetingEnded
from bridge.scripts.verbs.record import Recorded, StartRecord, StopRecord
from bridge.scripts.verbs.request import Request, Responded

STEPS = 300

conditions = st.sampled_from(["${a == '1'}", "${n < 3}", "${a != b}", "b || !a", "dialResult == 'answered'", "${true}"])
texts = st.sampled_from(["Hello", "You pressed ${a}", "${missing}", "${n + 1}, ${requestStatus}"])
variables = st.sampled_from(["a", "b", "n"])
plain_verbs: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda text: {"say": text}, texts),
    st.builds(lambda seconds: {"pause": seconds}, st.floats(0.1, 5)),
    st.just({"playFromUrl": "https://files.example/${a}"}),
    st.just({"playFromRecording": None}),
    st.builds(
        lambda name, most: {"collectInto": name, "options": {"maxInputLength": most}}, variables, st.integers(0, 4)
    ),
    st.builds(lambda keys: {"record": 10, "options": {"escapeDigits": keys}}, st.sampled_from(["", "#", "12"])),
    st.sampled_from([{"dial": "41793026700"}, {"dial": "${a}"}, {"dialToMany": [{"numbers": "4179302,4179303"}]}]),
    st.builds(
        lambda waits: {"request": "https://shop.example/${a}", "options": {"collectResponse": waits}}, st.booleans()
    ),
    st.builds(
        lambda name, value: {"setVariable": name, "value": value}, variables, st.sampled_from(["${n + 1}", 1, "x"])
    ),
    st.sampled_from(["hangup", "machineDetection", {"answeringMachineDetection": {}}]),
    st.just({"goTo": 1}),
)


def nested(inner: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    verbs = st.one_of(
        plain_verbs,
        st.builds(lambda test, yes, no: {"if": test, "then": yes, "else": no}, conditions, inner, inner),
        st.builds(lambda body: {"while": "${a != 'z'}", "do": body}, inner),
        st.builds(lambda body, test: {"repeat": body, "until": test}, inner, conditions),
        st.builds(lambda body: {"for-each": "a", "in": "1,${n},x", "do": body}, inner),
        st.builds(lambda body: {"switch": "a", "case": {"1": body, "__default": body}}, inner),
    )
    return st.lists(verbs, max_size=4)


verb_lists = st.recursive(st.lists(plain_verbs, max_size=4), nested, max_leaves=8)


def scenario(verbs: list[Any]) -> Script:
    return compile_scenario([{"pause": 1, "actionId": 1}, *verbs])


def message(one: list[Any], two: list[Any], detection: Any, members: dict[str, Any]) -> Script:
    begin = {"pause": 1, "actionId": 1}
    actions = [
        {"if": "dtmf", "equals": "1", "actionGroup": "one"},
        {"if": "dtmf", "equals": "12", "actionGroups": ["one", "two"]},
        {"if": "anyDtmf", "actionGroup": "two"},
    ]
    groups = {"one": [begin, *one], "two": [begin, *two, "repeat"]}
    return compile_message(text="Hello", actions=actions, action_groups=groups, machine_detection=detection, **members)


scripts = st.one_of(
    st.builds(scenario, verb_lists),
    st.builds(
        message,
        verb_lists,
        verb_lists,
        st.sampled_from(["disable", "hangup", "continue"]),
        st.sampled_from([{}, {"max_dtmf": 2}, {"repeat_dtmf": "7", "pause": 1}]),
    ),
)

results = st.sampled_from(["answered", "busy", "no-answer", "failed"])
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("key"), st.sampled_from("0123456789*#A1212##")),
        st.tuples(st.just("answer"), results),
        st.tuples(st.just("wait"), st.sampled_from([0.05, 0.5, 2.9, 4.0])),
        st.tuples(st.just("noise"), st.integers(-1, 40)),
    ),
    max_size=60,
)


class Switch:
    """Obeys an interpreter, checks every command, and answers when the test says so."""

    def __init__(self, script: Script) -> None:
        self.interpreter = Interpreter(script, {"to": "41793026727", "n": 0})
        self.now = 0.0
        self.is_over = False
        self.pending: Command | None = None
        self.timers: dict[str, float] = {}
        self.heard = ""
        self.reported = ""
        self.count = 0
        self.ids = [0]
        self.obey(self.interpreter.start(self.now))

    def happen(self, event: Event) -> None:
        if isinstance(event, Key):
            self.expect(event.digit)
        commands = self.interpreter.handle(event, self.now)
        if isinstance(event, HungUp):
            assert all(isinstance(fact, KeysEntered | VariableCollected | LimitReached) for fact in commands)
        self.obey(commands)
        self.is_over |= isinstance(event, HungUp)

    def expect(self, digit: str) -> None:
        """Remembers a key that must be reported; a ``#`` may only end an input, some keys are for someone else."""
        goes_elsewhere = isinstance(self.pending, Dial) or (
            isinstance(self.pending, StartRecord) and digit in self.pending.stop_keys
        )
        if digit != "#" and not goes_elsewhere and not self.is_over:
            self.heard += digit

    def obey(self, commands: list[Command]) -> None:
        for command in commands:
            assert not self.is_over, f"{command} after the end"
            self.count += 1
            match command:
                case Play() | StartRecord() | Dial() | DetectMachine() | AwaitGreetingEnd():
                    self.begin(command)
                case Request(awaited=True):
                    self.begin(command)
                case Stop(number) | StopRecord(number):
                    assert isinstance(self.pending, Play | StartRecord)
                    assert self.pending.id == number
                case SetTimer(name, at):
                    assert at >= self.now
                    self.timers[name] = at
                case CancelTimer(name):
                    del self.timers[name]
                case KeysEntered(keys):
                    self.reported += keys.replace("#", "")
                case HangUp():
                    assert not self.timers
                    assert self.pending is None
                    self.is_over = True

    def begin(self, command: Command) -> None:
        assert self.pending is None, f"{command} while {self.pending} goes on"
        if isinstance(command, Play | StartRecord | Dial | Request):
            assert command.id > self.ids[-1]
            self.ids.append(command.id)
        self.pending = command

    def answer(self, result: Any) -> None:
        """What was commanded last comes to its end."""
        command, self.pending = self.pending, None
        match command:
            case Play(number):
                self.happen(Played(number))
            case StartRecord(number):
                self.happen(Recorded(number, 2))
            case Dial(number):
                self.happen(TransferEnded(number, result, 3))
            case Request(number):
                self.happen(Responded(number, 200, {"a": "1"}))
            case DetectMachine():
                self.happen(Machine("human"))
            case AwaitGreetingEnd():
                self.happen(GreetingEnded())

    def wait(self, seconds: float) -> None:
        """Time passes; the timers that are due fire."""
        until = self.now + seconds
        while due := [(at, name) for name, at in self.timers.items() if at <= until]:
            self.now, name = min(due)
            del self.timers[name]
            if name != "keys":
                self.pending = None
            self.happen(Timer(name))
        self.now = until

    def noise(self, number: int) -> None:
        """Events that answer nothing are passed over."""
        wrong = number if self.ids[-1] != number else -1
        answers: list[Event] = [Played(wrong), Recorded(wrong, 1), TransferEnded(wrong, "busy"), Responded(wrong, 500)]
        nonsense: list[Event] = [Timer("nothing"), Key("é"), Key("11"), Key("")]
        for event in answers + nonsense:
            assert self.interpreter.handle(event, self.now) == []

    def finish(self) -> None:
        """The callee stays and presses nothing more."""
        for _ in range(20 * STEPS):
            if self.is_over:
                return
            if self.pending is not None:
                self.answer("busy")
            else:
                self.wait(5)
        raise AssertionError("the call does not end")


@pytest.fixture(autouse=True, scope="module")
def _short_calls() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_STEPS_RUN", STEPS)
        yield


def let_it_happen(switch: Switch, what: list[tuple[str, Any]]) -> None:
    deeds: dict[str, Callable[[Any], None]] = {
        "key": lambda digit: switch.happen(Key(digit)),
        "answer": switch.answer,
        "wait": switch.wait,
        "noise": switch.noise,
    }
    for kind, detail in what:
        deeds[kind](detail)


@settings(max_examples=300)
@given(scripts, happenings)
def test_every_call_ends_and_no_key_is_lost(script: Script, what: list[tuple[str, Any]]) -> None:
    switch = Switch(script)
    let_it_happen(switch, what)
    switch.finish()
    assert switch.count <= 10 * STEPS + 10 * len(what)
    assert switch.reported == switch.heard


@given(scripts, happenings)
def test_nothing_follows_when_the_callee_hangs_up(script: Script, what: list[tuple[str, Any]]) -> None:
    switch = Switch(script)
    let_it_happen(switch, what)
    switch.happen(HungUp())
    assert switch.reported == switch.heard
    let_it_happen(switch, [("key", "1"), ("answer", "busy"), ("wait", 60.0), ("noise", 1)])
    assert switch.interpreter.start(switch.now) == []


MEMBERS = (
    "say playFromUrl playFromUpload playFromRecording playTty collectInto capture dial dialToMany record request if "
    "then else switch case while do repeat until for-each in delimiter goTo actionId options setVariable value pause "
    "answeringMachineDetection onDetecting number numbers headers language voice name timeout equals actionGroup "
    "actionGroups transferTo mappedValues dtmfOptions goToLimit countVariable __default"
)
member_names = st.sampled_from(MEMBERS.split())
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(member_names, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300)
@given(json_values, json_values)
def test_any_json_is_compiled_or_refused(one: Any, two: Any) -> None:
    with contextlib.suppress(ScriptInvalid):
        Switch(compile_scenario([one, two])).finish()
    with contextlib.suppress(ScriptInvalid):
        Switch(compile_message(text="x", actions=one, action_groups=two, call_transfers=two, max_dtmf=one)).finish()
