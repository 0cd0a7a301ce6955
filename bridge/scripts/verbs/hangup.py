"""``hangup`` ends the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Run, Step
from bridge.scripts.language.members import MemberReader


@dataclass(frozen=True, slots=True)
class HangUpStep(Step):
    """Ends the call."""

    ends_or_jumps: ClassVar[bool] = True
    leaves_no_silence: ClassVar[bool] = True

    def perform(self, run: Run) -> None:
        run.end()


def _read(_verb: MemberReader, script: ScriptBuilder) -> None:
    script.add(HangUpStep())


VERB = Verb("hangup", "ends the call; so does the end of a scenario", (), _read, is_word=True)
