"""A script that is told the same again, in another process, stands where it stood."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.scripts import Interpreter, Script, events
from bridge.scripts.commands import Command, KeysEntered, LimitReached, SetTimer, VariableCollected
from bridge.scripts.events import Event
from bridge.scripts.verbs.dial import TransferEnded
from bridge.scripts.verbs.machine_detection import GreetingEnded
from bridge.scripts.verbs.record import Recorded
from bridge.scripts.verbs.request import Request, Responded
from tests.unit.scripts.test_scripts_properties import Switch, happenings, let_it_happen, scripts

_kept_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(events.Key, st.sampled_from("0123456789*#ABCD")),
    st.builds(events.Played, st.integers(0, 99), st.booleans()),
    st.builds(Recorded, st.integers(0, 99), st.floats(0, 4000)),
    st.builds(TransferEnded, st.integers(0, 99), st.sampled_from(["answered", "busy"]), st.floats(0, 4000)),
    st.builds(
        Responded,
        st.integers(0, 99),
        st.none() | st.integers(100, 599),
        st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.booleans() | st.integers(), max_size=3),
    ),
    st.builds(events.Machine, st.sampled_from(["human", "machine", "unknown"])),
    st.builds(events.Timer, st.sampled_from(["keys", "detector"])),
    st.just(GreetingEnded()),
    st.just(events.HungUp()),
)


class Recorder(Switch):
    """Notes what the interpreter is told, and what came of it."""

    def __init__(self, script: Script) -> None:
        self.told: list[tuple[float, Event | None]] = [(0.0, None)]
        self.answers: list[list[Command]] = []
        super().__init__(script)

    def happen(self, event: Event) -> None:
        self.told.append((self.now, event))
        super().happen(event)

    def obey(self, commands: list[Command]) -> None:
        self.answers.append(commands)
        super().obey(commands)


def told(interpreter: Interpreter, at: float, event: Event | None) -> list[Command]:
    return interpreter.start(at) if event is None else interpreter.handle(event, at)


@settings(max_examples=100)
@given(scripts, happenings, st.floats(0, 1))
def test_wherever_it_is_cut_it_goes_on_as_if_it_had_not_been(script: Script, what: Any, part: float) -> None:
    original = Recorder(script)
    let_it_happen(original, what)
    original.finish()
    cut = round(part * len(original.told))
    second = Interpreter(script, {"to": "41793026727", "n": 0})
    for at, event in original.told[:cut]:
        told(second, at, event)
    assert [told(second, at, event) for at, event in original.told[cut:]] == original.answers[cut:]


@settings(max_examples=100)
@given(scripts, happenings)
def test_what_is_outstanding_is_what_was_commanded_last(script: Script, what: Any) -> None:
    original = Recorder(script)
    let_it_happen(original, what)
    outstanding = original.interpreter.outstanding()
    commanded = [command for commands in original.answers for command in commands]
    assert all(command in commanded for command in outstanding)
    assert not any(isinstance(command, KeysEntered | VariableCollected | LimitReached) for command in outstanding)
    assert not any(isinstance(command, Request) and not command.awaited for command in outstanding)
    if original.pending is not None:
        assert original.pending in outstanding
    if original.timers:
        assert {command.name: command.at for command in outstanding if isinstance(command, SetTimer)} == original.timers


@given(_kept_events)
def test_an_event_is_the_same_after_it_was_json(event: Event) -> None:
    assert events.from_json(json.loads(json.dumps(events.to_json(event)))) == event
