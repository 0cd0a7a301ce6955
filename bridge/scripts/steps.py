"""The one form of every script: a flat list of steps with labels to jump to.

A label is an index into ``Script.targets``, which holds the index of a step. Steps run one after the other unless they
jump. The end of the list ends the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bridge.scripts import limits
from bridge.scripts.commands import Audio, Prompt, Recording, Say, Silence, Tty, Upload
from bridge.scripts.language.expressions import Expression, Variables
from bridge.scripts.language.templates import Template

Label = int
Reports = Literal["ALWAYS", "MASKED", "NEVER"]


@dataclass(frozen=True, slots=True)
class Speech:
    """A text and the voice that speaks it; the paths are those of the members that choose language and voice."""

    text: Template
    voice: Say
    """Its own text is empty."""
    language_path: str | None = field(default=None, compare=False)
    voice_path: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Download:
    url: Template


@dataclass(frozen=True, slots=True)
class Replay:
    reference: Template


@dataclass(frozen=True, slots=True)
class TextTelephone:
    text: Template


Source = Speech | Download | Replay | TextTelephone | Upload | Recording | Silence


@dataclass(frozen=True, slots=True)
class PlayStep:
    """``path`` is that of the member which names the source."""

    source: Source
    loops: int = 1
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """What an input leads to; ``times`` says how often at most."""

    action: str
    to: Label
    groups: tuple[str, ...] = ()
    times: int | None = None


@dataclass(frozen=True, slots=True)
class ListenStep:
    """Waits for an input and jumps to its choice; one without a choice is listened after again.

    Goes on to the next step when no key came within ``timeout`` and there is no choice for that.
    """

    codes: Mapping[str, Choice]
    any_keys: Choice | None
    no_keys: Choice | None
    max_keys: int | None
    timeout: float


@dataclass(frozen=True, slots=True)
class CollectStep:
    """Waits for keys and puts them into a variable."""

    variable: str
    action: Literal["collect", "capture"]
    max_keys: int
    timeout: float
    reports: Reports
    meanings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordStep:
    max_seconds: int
    max_silence: int | None
    beep: bool
    stop_keys: str
    identifier: Template | None
    pointer: str


@dataclass(frozen=True, slots=True)
class Several:
    """Numbers in one text, with commas between them."""

    numbers: Template


@dataclass(frozen=True, slots=True)
class DialStep:
    """Joins the callee with the first of ``numbers`` that answers, called ``at_once`` or one after the other."""

    numbers: tuple[Template | Several, ...]
    at_once: bool = False
    caller_id: Template | None = None
    ring_seconds: int = limits.RING_TIME
    max_seconds: int | None = None
    warning_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class RequestStep:
    url: Template
    method: str
    headers: tuple[tuple[str, Template], ...]
    body: Template | None
    collects: bool


@dataclass(frozen=True, slots=True)
class DetectStep:
    """Finds out who answered, once a call."""


@dataclass(frozen=True, slots=True)
class AwaitGreetingStep:
    pass


@dataclass(frozen=True, slots=True)
class AssignStep:
    variable: str
    value: Template


@dataclass(frozen=True, slots=True)
class GoToStep:
    """Jumps, at most ``times``; ``counter`` names the variable that counts."""

    to: Label
    times: int | None = None
    counter: str | None = None


@dataclass(frozen=True, slots=True)
class IfStep:
    """Goes on to the next step when the condition is true, else to ``otherwise``."""

    condition: Expression
    otherwise: Label


@dataclass(frozen=True, slots=True)
class SwitchStep:
    subject: Expression
    cases: Mapping[str, Label]
    otherwise: Label


@dataclass(frozen=True, slots=True)
class LoopStep:
    """Jumps back to ``to`` while the condition is true."""

    condition: Expression
    to: Label


@dataclass(frozen=True, slots=True)
class EachStep:
    """Puts the next item into the variable and jumps back to ``to``, until there is none."""

    variable: str
    items: Template
    delimiter: str
    to: Label


@dataclass(frozen=True, slots=True)
class PerformStep:
    """Runs the action group at ``group`` up to its ReturnStep."""

    group: Label


@dataclass(frozen=True, slots=True)
class ReturnStep:
    pass


@dataclass(frozen=True, slots=True)
class HangUpStep:
    pass


Step = (
    PlayStep
    | ListenStep
    | CollectStep
    | RecordStep
    | DialStep
    | RequestStep
    | DetectStep
    | AwaitGreetingStep
    | AssignStep
    | GoToStep
    | IfStep
    | SwitchStep
    | LoopStep
    | EachStep
    | PerformStep
    | ReturnStep
    | HangUpStep
)


def render(source: Source, variables: Variables) -> Prompt:
    """What is to be played, with the variables as they stand now."""
    match source:
        case Speech(text, voice):
            return Say(text.render(variables), voice.language, voice.voice, voice.gender, voice.rate)
        case Download(url):
            return Audio(url.render(variables))
        case Replay(reference):
            return Recording(reference.render(variables))
        case TextTelephone(text):
            return Tty(text.render(variables))
        case _:
            return source
