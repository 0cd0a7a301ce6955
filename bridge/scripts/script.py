"""A compiled script and what can be known of it before the call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.scripts.commands import Prompt, Recording
from bridge.scripts.expressions import Variables
from bridge.scripts.steps import (
    AssignStep,
    CollectStep,
    DetectStep,
    DialStep,
    Download,
    EachStep,
    GoToStep,
    HangUpStep,
    PlayStep,
    RecordStep,
    Replay,
    RequestStep,
    Source,
    Speech,
    Step,
    TextTelephone,
    render,
)


@dataclass(frozen=True, slots=True)
class Script:
    """What happens on one call. Immutable, so that all calls of a message share it."""

    steps: tuple[Step, ...]
    targets: tuple[int, ...]

    @property
    def listens(self) -> bool:
        """Whether there may be times when nothing is played: it does more than play one prompt after the other."""
        return not all(isinstance(step, PlayStep | HangUpStep) for step in self.steps)

    @property
    def hides_keys(self) -> bool:
        """Whether some keys must not be shown as they were pressed."""
        return any(isinstance(step, CollectStep) and step.reports != "ALWAYS" for step in self.steps)

    def prompts(self, variables: Variables) -> list[Prompt]:
        """Everything that may be played and is known before the call, each once, in the order it was written.

        ``variables`` are the call's parameters, ``to`` and ``from``. What depends on the call itself is left out:
        collected keys, responses, recordings.
        """
        changing = {name for step in self.steps for name in _assigned(step)}
        anything_may_change = any(isinstance(step, RequestStep) and step.collects for step in self.steps)
        known = (
            render(step.source, variables)
            for step in self.steps
            if isinstance(step, PlayStep)
            and not isinstance(step.source, Replay | Recording)
            and not (names := _names(step.source)) & changing
            and not (names and anything_may_change)
        )
        return list(dict.fromkeys(known))


def _names(source: Source) -> frozenset[str]:
    match source:
        case Speech(text) | TextTelephone(text) | Download(text):
            return text.names
        case _:
            return frozenset()


def _assigned(step: Step) -> Iterator[str]:
    match step:
        case CollectStep(variable):
            yield from (variable, f"{variable}_Meaning", f"{variable}_Full")
        case AssignStep(variable) | EachStep(variable):
            yield variable
        case GoToStep(counter=str(variable)):
            yield variable
        case DialStep():
            yield from ("dialResult", "dialDuration")
        case RecordStep():
            yield "recordDuration"
        case RequestStep():
            yield "requestStatus"
        case DetectStep():
            yield "answeredBy"
