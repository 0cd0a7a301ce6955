"""``goTo`` jumps to another action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Label, Run, Step
from bridge.scripts.language.kinds import VARIABLE, Member, whole
from bridge.scripts.language.members import MemberReader

_ACTION_ID = Member("goTo", whole(0, limits.MAX_ACTION_ID), None, "The number is its `actionId`", is_required=True)
_LIMIT = Member("options.goToLimit", whole(1, limits.MAX_PASSES), limits.MAX_PASSES, "jumps; then the script goes on")
_COUNTER = Member("options.countVariable", VARIABLE, None, "counts them")


@dataclass(frozen=True, slots=True)
class GoToStep(Step):
    """Jumps, at most ``times`` on a call; ``counter`` names the variable that has the count."""

    ends_or_jumps: ClassVar[bool] = True

    to: Label
    times: int
    counter: str | None = None

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset(() if self.counter is None else (self.counter,))

    def perform(self, run: Run) -> None:
        run.counts[run.at] += 1
        if run.counts[run.at] > self.times:
            return
        if self.counter is not None:
            run.assign(self.counter, run.counts[run.at])
        run.jump(self.to)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    action_id = _ACTION_ID.read(verb)
    times = _LIMIT.read(verb)
    counter = _COUNTER.read(verb)
    if action_id is not None:
        script.add(GoToStep(script.jump_target(action_id, verb.path_of("goTo")), times, counter))


VERB = Verb(
    "goTo",
    "goes on at another action, in an action group at one of that group",
    (_ACTION_ID, _LIMIT, _COUNTER),
    _read,
)
