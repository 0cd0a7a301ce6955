"""``setVariable`` gives a variable a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Run, Step
from bridge.scripts.language.expressions import as_value
from bridge.scripts.language.kinds import VARIABLE, Member, read_by_its_verb, template
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template, constant

_VARIABLE = Member("setVariable", VARIABLE, "_", is_required=True)
_TEXT = Member("value", template(limits.MAX_VALUE), None)
_VALUE = Member("value", read_by_its_verb("text, number, true, false or null"), None)


@dataclass(frozen=True, slots=True)
class AssignStep(Step):
    """Gives the variable the value that the template has now."""

    variable: str
    value: Template

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset((self.variable,))

    def perform(self, run: Run) -> None:
        run.assign(self.variable, self.value.value(run.variables))


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    variable = _VARIABLE.read(verb)
    value = _VALUE.read(verb)
    if isinstance(value, Mapping | list):
        verb.refuse("value", "must be a text, a number, true, false or null")
    template = _TEXT.read(verb) if isinstance(value, str) else constant(as_value(value))
    if template is not None:
        script.add(AssignStep(variable, template))


VERB = Verb("setVariable", "gives a variable a value", (_VARIABLE, _VALUE), _read)
