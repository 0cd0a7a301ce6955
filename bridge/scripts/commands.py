"""Commands of the interpreter: what is to be done on the call. Those of a single verb stand in the verb's file.

Commands with an ``id`` are answered by an event with the same ``id``, unless the call ends first. Facts (KeysEntered,
VariableCollected, LimitReached) are for the CDR and want no answer. Times are seconds; ``at`` is on the same clock as
the ``now`` that the interpreter is given.
"""

from __future__ import annotations

from dataclasses import dataclass

KEYS = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a script wants done, or has found out."""


@dataclass(frozen=True, slots=True)
class Fact(Command):
    """What the script found out; nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Say:
    """A text to be spoken; the members are those of ``Phrase`` in ``bridge.speech``."""

    text: str
    language: str = "en"
    voice: str | None = None
    gender: str | None = None
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Audio:
    """An audio file at an http or https URL."""

    url: str


@dataclass(frozen=True, slots=True)
class UploadedAudio:
    """An audio file that was uploaded before, by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class RecordedAudio:
    """Something recorded before: the last of this call (None), the n-th of this call from 0, or by its identifier."""

    reference: str | int | None


@dataclass(frozen=True, slots=True)
class Tty:
    """A text for a text telephone, in Baudot tones (ITU-T V.18 annex A)."""

    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing to be heard, for so many seconds."""

    seconds: float


Prompt = Say | Audio | UploadedAudio | RecordedAudio | Tty | Silence


@dataclass(frozen=True, slots=True)
class Play(Command):
    """Play the prompt ``loops`` times; any of ``stop_keys`` ends it at once. Answered by Played."""

    id: int
    prompt: Prompt
    loops: int = 1
    stop_keys: str = ""


@dataclass(frozen=True, slots=True)
class Stop(Command):
    """End the playback ``id`` now; its Played still follows. Harmless when it has ended by itself."""

    id: int


@dataclass(frozen=True, slots=True)
class SetTimer(Command):
    """Send Timer ``name`` at ``at``; takes the place of a timer of the same name."""

    name: str
    at: float


@dataclass(frozen=True, slots=True)
class CancelTimer(Command):
    """Forget the timer ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class HangUp(Command):
    """End the call. Nothing follows."""


@dataclass(frozen=True, slots=True)
class KeysEntered(Fact):
    """Keys that the callee entered, and what they chose.

    ``action`` is ``dtmf``, ``anyDtmf``, ``noDtmf`` (without keys), ``repeatDtmf``, ``callTransfer``, ``collect`` or
    ``capture``; None when nothing answered the keys.
    """

    keys: str
    action: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariableCollected(Fact):
    """A variable for the report: its keys, already masked if they must be, and what ``mappedValues`` says they mean."""

    variable: str
    keys: str
    meaning: str | None


@dataclass(frozen=True, slots=True)
class LimitReached(Fact):
    """The script was cut short by a limit: ``rounds`` (inputs that were answered) or ``steps``."""

    limit: str
