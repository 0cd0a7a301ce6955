"""``dialToMany`` joins the callee with the first of several telephones that answers."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.language.checks import split_numbers
from bridge.scripts.language.kinds import TELEPHONE, Member, read_by_its_verb, template
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template, fixed
from bridge.scripts.verbs.dial import OPTIONS, NumberList, dial_step

_ENTRIES = Member(
    "dialToMany",
    read_by_its_verb('list of `{"number": …}` or `{"numbers": "a,b"}`'),
    None,
    is_required=True,
)
_NUMBER = Member("number", TELEPHONE, None, is_required=True)
_NUMBERS = Member("numbers", template(), None)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    numbers: list[Template | NumberList] = []
    entries = verb.items("dialToMany")
    if not entries:
        verb.refuse("dialToMany", "must list at least one number")
    for index, entry in enumerate(entries):
        path = f"{verb.path_of('dialToMany')}[{index}]"
        if isinstance(entry, dict):
            numbers += _entry_numbers(MemberReader(entry, path, verb.problems))
        else:
            verb.problems.add(path, 'must be an object with "number" or "numbers"')
    script.add(dial_step(verb, numbers))


def _entry_numbers(entry: MemberReader) -> Sequence[Template | NumberList]:
    if entry.has("number") or not entry.has("numbers"):
        number = _NUMBER.read(entry)
        return [] if number is None else [number]
    numbers = _NUMBERS.read(entry)
    if numbers is None or not numbers.is_fixed:
        return [] if numbers is None else [NumberList(numbers)]
    try:
        return [fixed(number) for number in split_numbers(numbers.render({}))]
    except ValueError as error:
        entry.refuse("numbers", str(error))
        return []


VERB = Verb(
    "dialToMany",
    f"like `dial`, with the first that answers. At most {limits.MAX_DIALLED} numbers",
    (_ENTRIES, *OPTIONS),
    _read,
)
