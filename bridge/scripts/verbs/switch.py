"""``switch`` performs the list of verbs that a value chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Label, Move, Place
from bridge.scripts.language.expressions import Expression, as_text, evaluate
from bridge.scripts.language.kinds import CONDITION, Member, read_by_its_verb
from bridge.scripts.language.members import MemberReader

_DEFAULT = "__default"

_SUBJECT = Member("switch", CONDITION, None, "It is compared as text", is_required=True)
_CASES = Member(
    "case",
    read_by_its_verb("object of lists of verbs"),
    None,
    f"a list for each value; `{_DEFAULT}` for all others",
    is_required=True,
)


@dataclass(frozen=True, slots=True)
class SwitchStep(Move):
    """Jumps to the label of the subject's value, to ``otherwise`` when it has none."""

    subject: Expression
    cases: Mapping[str, Label]
    otherwise: Label

    def move(self, place: Place) -> None:
        value = as_text(evaluate(self.subject, place.variables))
        place.jump(self.cases.get(value, self.otherwise))


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    subject = _SUBJECT.read(verb)
    verb.required("case")
    cases = verb.members("case")
    end = script.label()
    labels = {name: script.label() for name in cases.value}
    otherwise = labels.pop(_DEFAULT, end)
    if subject is not None:
        script.add(SwitchStep(subject, labels, otherwise))
    for name in cases.value:
        script.place(otherwise if name == _DEFAULT else labels[name])
        if cases.has(name):
            script.read_verbs(cases.value[name], cases.path_of(name))
        script.jump(end)
    script.place(end)


VERB = Verb("switch", "performs the list that stands for a value", (_SUBJECT, _CASES), _read)
