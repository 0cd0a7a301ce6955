"""``while`` performs a list of verbs as long as a condition is true."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Label, Run, Step
from bridge.scripts.language.expressions import Expression, evaluate, is_true, names_in
from bridge.scripts.language.kinds import CONDITION, VERBS, Member
from bridge.scripts.language.members import MemberReader

_CONDITION = Member("while", CONDITION, None, "It is looked at before each pass", is_required=True)
_BODY = Member("do", VERBS, None, is_required=True)


@dataclass(frozen=True, slots=True)
class LoopStep(Step):
    """Jumps back to ``to`` while the condition is true."""

    condition: Expression
    to: Label

    def perform(self, run: Run) -> None:
        if is_true(evaluate(self.condition, run.variables)):
            run.counts[run.at] += 1
            if run.counts[run.at] <= limits.MAX_PASSES:
                run.jump(self.to)
                return
        del run.counts[run.at]


def add_loop(verb: MemberReader, name: str, condition: Expression, body: Label, script: ScriptBuilder) -> None:
    """Appends the jump back to the body; refuses the member with the condition when nothing can end the loop."""
    is_constant = not any(True for _ in names_in(condition))
    if is_constant and is_true(evaluate(condition, {})) and not script.can_leave(body):
        verb.refuse(name, "never ends: the condition does not change, and nothing inside hangs up or goes elsewhere")
    script.add(LoopStep(condition, body))


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    condition = _CONDITION.read(verb)
    check = script.label()
    script.jump(check)
    body = script.placed_label()
    script.read_branch(verb, _BODY)
    script.place(check)
    if condition is not None:
        add_loop(verb, "while", condition, body, script)


VERB = Verb("while", "performs a list as long as a condition is true", (_CONDITION, _BODY), _read)
