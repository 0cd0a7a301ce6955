"""``for-each`` performs a list of verbs for each item of a text."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Label, Run, Step
from bridge.scripts.language.expressions import Variables
from bridge.scripts.language.kinds import TEXT, VARIABLE, VERBS, Member, template
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template

_VARIABLE = Member("for-each", VARIABLE, "_", "It is in the variable", is_required=True)
_ITEMS = Member("in", template(), None, "the items, with the delimiter between them", is_required=True)
_DELIMITER = Member("delimiter", TEXT, ",")
_BODY = Member("do", VERBS, None, is_required=True)


@dataclass(frozen=True, slots=True)
class EachStep(Step):
    """Puts the next item into the variable and jumps back to ``to``, until there is none."""

    variable: str
    items: Template
    delimiter: str
    to: Label

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset((self.variable,))

    def perform(self, run: Run) -> None:
        if run.at not in run.items:
            run.items[run.at] = deque(self._split(run.variables))
        if run.items[run.at]:
            run.assign(self.variable, run.items[run.at].popleft())
            run.jump(self.to)
        else:
            del run.items[run.at]

    def _split(self, variables: Variables) -> list[str]:
        items = [item.strip() for item in self.items.render(variables).split(self.delimiter)]
        return [item for item in items if item][: limits.MAX_PASSES]


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    variable = _VARIABLE.read(verb)
    items = _ITEMS.read(verb)
    check = script.label()
    script.jump(check)
    body = script.placed_label()
    script.read_branch(verb, _BODY)
    script.place(check)
    if items is not None:
        script.add(EachStep(variable, items, _DELIMITER.read(verb) or _DELIMITER.default, body))


VERB = Verb("for-each", "performs a list for each item of a text", (_VARIABLE, _ITEMS, _DELIMITER, _BODY), _read)
