"""A compiled script and what can be known of it before the call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bridge.scripts.commands import Prompt, Recording, Say, Tty, Upload
from bridge.scripts.language.expressions import Variables
from bridge.scripts.language.forms import can_be_spoken
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
class Wording:
    """What is known of a text that is to be spoken, the path of the member that has it, and who speaks it.

    ``is_whole`` says that nothing of the text depends on what is not known yet.
    """

    text: str
    path: str
    speaker: Speech
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Script:
    """What happens on one call. Immutable."""

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
        is_known = self._is_known()
        known = (
            render(step.source, variables)
            for step in self._plays()
            if not isinstance(step.source, Replay | Recording) and is_known(_names(step.source))
        )
        return [prompt for prompt in dict.fromkeys(known) if not _is_silent(prompt)]

    def wordings(self, variables: Variables | None) -> Iterator[Wording]:
        """Every text that may be spoken, as far as it is known with these variables (None: when there are none yet)."""
        is_known = frozenset[str]().issuperset if variables is None else self._is_known()
        for step in self._plays():
            if isinstance(step.source, Speech):
                template = step.source.text
                text = template.known(variables or {}, is_known)
                yield Wording(text, step.path, step.source, is_known(template.names))

    def uploads(self) -> Iterator[tuple[str, str]]:
        """The id of every upload that may be played, and the path of the member that names it."""
        for step in self._plays():
            if isinstance(step.source, Upload):
                yield step.source.id, step.path

    def _plays(self) -> Iterator[PlayStep]:
        return (step for step in self.steps if isinstance(step, PlayStep))

    def _is_known(self) -> Callable[[Iterable[str]], bool]:
        """Whether variables keep on the call the values that they begin with."""
        if any(isinstance(step, RequestStep) and step.collects for step in self.steps):
            return frozenset[str]().issuperset  # an answer may set any of them
        return {name for step in self.steps for name in _assigned(step)}.isdisjoint


def _is_silent(prompt: Prompt) -> bool:
    return isinstance(prompt, Say | Tty) and not can_be_spoken(prompt.text)


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
