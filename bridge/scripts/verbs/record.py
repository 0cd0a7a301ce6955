"""``record`` records what the callee says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import KEYS, Command
from bridge.scripts.engine.awaited import Reply, Waiting
from bridge.scripts.engine.run import Run, Step
from bridge.scripts.events import Event
from bridge.scripts.language.kinds import FLAG, TEXT, Member, template, whole
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template

_SECONDS = Member("record", whole(1, limits.MAX_RECORDING, "seconds"), limits.MAX_RECORDING)
_STOP_KEYS = Member("options.escapeDigits", TEXT, "", "keys that end it, and are no input")
_BEEP = Member("options.beep", FLAG, False, "a tone before it")
_MAX_SILENCE = Member("options.maxSilence", whole(1, limits.MAX_RECORDING, "seconds"), None, "so much silence ends it")
_IDENTIFIER = Member("options.identifier", template(), None, "for `playFromRecording`")


@dataclass(frozen=True, slots=True)
class StartRecord(Command):
    """Record what the callee says. Answered by Recorded, after ``max_seconds``, ``max_silence`` or a stop key.

    ``pointer`` is the JSON pointer (RFC 6901) of the action in its script (``#/script/1``).
    """

    id: int
    max_seconds: int
    max_silence: int | None
    beep: bool
    stop_keys: str
    identifier: str | None
    pointer: str


@dataclass(frozen=True, slots=True)
class StopRecord(Command):
    """End the recording ``id`` now; its Recorded still follows."""

    id: int


@dataclass(frozen=True, slots=True)
class Recorded(Event):
    """The recording ``id`` ended and is ``seconds`` long."""

    id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordStep(Step):
    """Records until its time is over, the callee is silent or presses a key that stops it."""

    max_seconds: int
    max_silence: int | None
    beep: bool
    stop_keys: str
    identifier: Template | None
    pointer: str

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset(("recordDuration",))

    def perform(self, run: Run) -> Waiting:
        record = StartRecord(
            id=run.new_id(),
            max_seconds=self.max_seconds,
            max_silence=self.max_silence,
            beep=self.beep,
            stop_keys=self.stop_keys,
            identifier=None if self.identifier is None else self.identifier.render(run.variables),
            pointer=self.pointer,
        )
        recorded = yield Reply(
            record, Recorded, stop=StopRecord(record.id), stop_keys=self.stop_keys, ignored_keys=self.stop_keys
        )
        assert isinstance(recorded, Recorded)
        run.assign("recordDuration", recorded.seconds)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    stop_keys = _STOP_KEYS.read(verb).upper()
    if not set(stop_keys) <= set(KEYS):
        verb.members("options").refuse("escapeDigits", "must be keys: 0-9, *, # and A-D")
    script.add(
        RecordStep(
            max_seconds=_SECONDS.read(verb),
            max_silence=_MAX_SILENCE.read(verb),
            beep=_BEEP.read(verb),
            stop_keys=stop_keys,
            identifier=_IDENTIFIER.read(verb),
            pointer="#/" + re.sub(r"[.\[]", "/", verb.path.replace("]", "")),
        )
    )


VERB = Verb(
    "record",
    "records the callee; `recordDuration` has the seconds",
    (_SECONDS, _STOP_KEYS, _BEEP, _MAX_SILENCE, _IDENTIFIER),
    _read,
)
