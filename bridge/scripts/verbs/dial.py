"""``dial`` joins the callee with another telephone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import KEYS, Command
from bridge.scripts.engine.awaited import Reply, Waiting
from bridge.scripts.engine.run import Run, Step
from bridge.scripts.events import Event
from bridge.scripts.language.checks import split_numbers
from bridge.scripts.language.expressions import Variables
from bridge.scripts.language.kinds import FLAG, SENDER, TELEPHONE, Member, whole
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template
from bridge.telephony.numbers import parse_number, parse_sender

_NUMBER = Member("dial", TELEPHONE, None, is_required=True)
_SENDER = Member("options.senderId", SENDER, None, "the call's own when missing")
_RING_TIME = Member("options.ringTimeout", whole(1, 300, "seconds"), limits.RING_TIME, "how long it rings")
_MAX_DURATION = Member(
    "options.maxCallDuration", whole(1, limits.MAX_TRANSFER, "seconds"), None, "how long the two are joined at most"
)
_PARALLEL = Member("options.parallel", FLAG, False, "several numbers are called at once, not one after the other")
OPTIONS = (_PARALLEL, _SENDER, _RING_TIME, _MAX_DURATION)


DialResult = Literal["answered", "busy", "no-answer", "failed"]


@dataclass(frozen=True, slots=True)
class Dial(Command):
    """Call ``numbers`` (digits) all at once and join the first that answers. Answered by TransferEnded.

    Without a ``caller_id`` that of the call is shown. The warning tone sounds ``warning_seconds`` before
    ``max_seconds`` are over.
    """

    id: int
    numbers: tuple[str, ...]
    caller_id: str | None
    ring_seconds: int
    max_seconds: int | None
    warning_seconds: int | None


@dataclass(frozen=True, slots=True)
class TransferEnded(Event):
    """The dialled side left, or never came; ``seconds`` is how long the two were joined."""

    id: int
    result: DialResult
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class NumberList:
    """Numbers in one text, with commas between them."""

    numbers: Template


@dataclass(frozen=True, slots=True)
class DialStep(Step):
    """Joins the callee with the first of ``numbers`` that answers, called ``at_once`` or one after the other.

    Keys are for the other side meanwhile.
    """

    numbers: tuple[Template | NumberList, ...]
    at_once: bool = False
    caller_id: Template | None = None
    ring_seconds: int = limits.RING_TIME
    max_seconds: int | None = None
    warning_seconds: int | None = None

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset(("dialResult", "dialDuration"))

    def perform(self, run: Run) -> Waiting:
        result, seconds = "failed", 0.0
        for numbers in self._turns(run.variables):
            ended = yield Reply(self._dial(run, numbers), TransferEnded, ignored_keys=KEYS)
            assert isinstance(ended, TransferEnded)
            result, seconds = ended.result, ended.seconds
            if result == "answered":
                break
        run.assign("dialResult", result)
        run.assign("dialDuration", seconds)

    def _turns(self, variables: Variables) -> list[tuple[str, ...]]:
        """The numbers to dial, those that are called at once together, each once; what is no number is left out."""
        every = (number for wanted in self.numbers for number in _digits(wanted, variables))
        numbers = tuple(dict.fromkeys(every))[: limits.MAX_DIALLED]
        return [numbers] if self.at_once and numbers else [(number,) for number in numbers]

    def _dial(self, run: Run, numbers: tuple[str, ...]) -> Dial:
        return Dial(
            id=run.new_id(),
            numbers=numbers,
            caller_id=None if self.caller_id is None else _caller_id(self.caller_id, run.variables),
            ring_seconds=self.ring_seconds,
            max_seconds=self.max_seconds,
            warning_seconds=self.warning_seconds,
        )


def dial_step(verb: MemberReader, numbers: Sequence[Template | NumberList]) -> DialStep:
    """The step to these numbers, with the verb's options."""
    return DialStep(
        numbers=tuple(numbers),
        at_once=_PARALLEL.read(verb),
        caller_id=_SENDER.read(verb),
        ring_seconds=_RING_TIME.read(verb),
        max_seconds=_MAX_DURATION.read(verb),
    )


def _digits(wanted: Template | NumberList, variables: Variables) -> list[str]:
    try:
        if isinstance(wanted, NumberList):
            return split_numbers(wanted.numbers.render(variables))
        return [parse_number(wanted.render(variables))]
    except ValueError:
        return []


def _caller_id(template: Template, variables: Variables) -> str | None:
    """The digits; None, which means the call's own, when the text is no caller id."""
    try:
        return parse_sender(template.render(variables))
    except ValueError:
        return None


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    number = _NUMBER.read(verb)
    script.add(dial_step(verb, [] if number is None else [number]))


VERB = Verb(
    "dial",
    "joins the callee with another telephone. Afterwards `dialResult` is `answered`, `busy`, `no-answer` or `failed`, "
    "and `dialDuration` the seconds",
    (_NUMBER, *OPTIONS),
    _read,
)
