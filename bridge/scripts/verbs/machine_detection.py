"""The word ``machineDetection`` hangs up on an answering machine; a message may also wait for the greeting's end."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import Command, SetTimer
from bridge.scripts.engine.awaited import Reply, Waiting
from bridge.scripts.engine.run import Place, Run, Step
from bridge.scripts.events import Event, Machine
from bridge.scripts.language.expressions import Binary, Expression, Literal, Name
from bridge.scripts.language.members import MemberReader
from bridge.scripts.verbs.hangup import HangUpStep
from bridge.scripts.verbs.if_ import IfStep

ANSWERED_BY = Name("answeredBy")

_MACHINE_ANSWERED: Expression = Binary("==", ANSWERED_BY, Literal("machine"))


@dataclass(frozen=True, slots=True)
class DetectMachine(Command):
    """Find out who answered; when the detector runs already, nothing is to be done. Answered by Machine."""


@dataclass(frozen=True, slots=True)
class AwaitGreetingEnd(Command):
    """Wait until the machine's greeting and its beep are over. Answered by GreetingEnded."""


@dataclass(frozen=True, slots=True)
class GreetingEnded(Event):
    """The machine's greeting and its beep are over: it waits for a message."""


@dataclass(frozen=True, slots=True)
class DetectStep(Step):
    """Finds out who answered, once a call."""

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset((ANSWERED_BY.name,))

    def perform(self, run: Run) -> Waiting:
        if _is_decided(run):
            return
        decided = yield Reply(DetectMachine(), Machine, SetTimer("detector", run.now + limits.DETECTOR_WAIT))
        if not isinstance(decided, Machine):
            run.assign(ANSWERED_BY.name, "unknown")

    def look_ahead(self, place: Place) -> bool:
        return _is_decided(place)


@dataclass(frozen=True, slots=True)
class AwaitGreetingStep(Step):
    """Waits until the machine's greeting is over."""

    def perform(self, run: Run) -> Waiting:
        yield Reply(AwaitGreetingEnd(), GreetingEnded, SetTimer("greeting", run.now + limits.GREETING_WAIT))


def hang_up_on_a_machine(script: ScriptBuilder) -> None:
    """Ends the call when the detector hears a machine."""
    _on_a_machine(HangUpStep(), script)


def await_the_greeting_of_a_machine(script: ScriptBuilder) -> None:
    """Waits until a machine's greeting is over; goes on at once for everybody else."""
    _on_a_machine(AwaitGreetingStep(), script)


def _on_a_machine(step: Step, script: ScriptBuilder) -> None:
    end = script.label()
    script.add(DetectStep(), IfStep(_MACHINE_ANSWERED, end), step)
    script.place(end)


def _is_decided(place: Place) -> bool:
    return ANSWERED_BY.name in place.variables


def _read(_verb: MemberReader, script: ScriptBuilder) -> None:
    hang_up_on_a_machine(script)


VERB = Verb("machineDetection", "hangs up on a machine", (), _read, is_word=True)
