"""``if`` performs one of two lists of verbs."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Label, Move, Place
from bridge.scripts.language.expressions import Expression, evaluate, is_true
from bridge.scripts.language.kinds import CONDITION, VERBS, Member
from bridge.scripts.language.members import MemberReader

_CONDITION = Member("if", CONDITION, None, is_required=True)
_THEN = Member("then", VERBS, None, "performed when it is true", is_required=True)
_ELSE = Member("else", VERBS, None, "performed otherwise")


@dataclass(frozen=True, slots=True)
class IfStep(Move):
    """Goes on to the next step when the condition is true, else to ``otherwise``."""

    condition: Expression
    otherwise: Label

    def move(self, place: Place) -> None:
        if not is_true(evaluate(self.condition, place.variables)):
            place.jump(self.otherwise)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    condition = _CONDITION.read(verb)
    otherwise, end = script.label(), script.label()
    if condition is not None:
        script.add(IfStep(condition, otherwise))
    script.read_branch(verb, _THEN)
    script.jump(end)
    script.place(otherwise)
    script.read_branch(verb, _ELSE)
    script.place(end)


VERB = Verb("if", "performs one of two lists", (_CONDITION, _THEN, _ELSE), _read)
