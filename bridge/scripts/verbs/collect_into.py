"""``collectInto`` waits for keys and puts them into a variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import KeysEntered, VariableCollected
from bridge.scripts.engine.awaited import Waiting
from bridge.scripts.engine.keys import END, Entry, masked
from bridge.scripts.engine.run import Run, Step
from bridge.scripts.language.expressions import as_text, as_value
from bridge.scripts.language.kinds import VARIABLE, Kind, Member, number, one_of, whole
from bridge.scripts.language.members import MemberReader

_TIMEOUT = 5.0
_MEANINGS: Kind[Mapping[str, str]] = Kind("object", lambda verb, name: _texts(verb.members(name).value))


@dataclass(frozen=True, slots=True)
class CollectStep(Step):
    """Waits for keys and puts them into a variable; ``action`` is what the CDR says that they chose."""

    takes_keys: ClassVar[bool] = True

    variable: str
    action: str
    max_keys: int
    timeout: float
    reports: str
    meanings: Mapping[str, str]

    @property
    def hides_keys(self) -> bool:
        return self.reports != "ALWAYS"

    @property
    def assigns(self) -> frozenset[str]:
        return frozenset((self.variable, f"{self.variable}_Meaning", f"{self.variable}_Full"))

    def perform(self, run: Run) -> Waiting:
        entry = Entry((), self.max_keys, self.timeout, self.timeout, run.now)
        yield entry
        keys = entry.keys.removesuffix(END)
        meaning = self.meanings.get(keys)
        run.assign(self.variable, keys)
        run.assign(f"{self.variable}_Meaning", meaning)
        if self.reports == "NEVER":
            return
        if self.reports == "MASKED":
            keys, meaning = masked(keys), None
        if keys:
            run.emit(KeysEntered(keys, self.action))
        run.emit(VariableCollected(self.variable, keys, meaning))


def collecting(name: str, action: str, does: str, *, options: str, key_options: str) -> Verb:
    """A verb that collects keys; ``options`` and ``key_options`` lead to the objects that its members stand in."""
    variable = Member(name, VARIABLE, "_", is_required=True)
    max_keys = Member(f"{key_options}maxInputLength", whole(0, limits.MAX_KEYS), 0, f"keys; 0 is {limits.MAX_KEYS}")
    timeout = Member(f"{options}timeout", number(1, 30, "seconds"), _TIMEOUT, "for the first key, and between keys")
    reports = Member(
        f"{options}sendToReports", one_of(("ALWAYS", "MASKED", "NEVER")), "ALWAYS", "the keys; `MASKED` as stars"
    )
    meanings = Member(f"{key_options}mappedValues", _MEANINGS, {}, "from keys to the value of `<variable>_Meaning`")

    def read(verb: MemberReader, script: ScriptBuilder) -> None:
        meanings_read, reports_read = meanings.read(verb), reports.read(verb)
        step = CollectStep(
            variable=variable.read(verb),
            action=action,
            max_keys=max_keys.read(verb) or limits.MAX_KEYS,
            timeout=timeout.read(verb),
            reports=reports_read,
            meanings=meanings_read,
        )
        script.add(step)

    return Verb(name, does, (variable, max_keys, timeout, reports, meanings), read)


def _texts(meanings: Mapping[str, Any]) -> dict[str, str]:
    return {keys: as_text(as_value(meaning)) for keys, meaning in meanings.items()}


VERB = collecting(
    "collectInto",
    "collect",
    "waits for keys and puts them into a variable",
    options="options.",
    key_options="options.",
)
