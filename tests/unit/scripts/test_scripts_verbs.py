"""Every file of the verbs is a verb, and the documentation says what they say of themselves.

``python -m tests.unit.scripts.test_scripts_verbs`` writes their table into the documentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.scripts import ScriptInvalid, compile_scenario, verbs
from bridge.scripts.builder import Verb
from bridge.scripts.language.kinds import Member

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "scripts.md"
BEGIN = "<!-- verbs: written by tests/unit/scripts/test_scripts_verbs.py -->\n"
END = "<!-- end of verbs -->\n"

TAKES_ANYTHING = "answeringMachineDetection"
"""What is no object means that its members stand beside it."""


def table() -> str:
    """All verbs as Markdown, each with its members below it."""
    rows = ["| verb, members | value | default | |", "|---|---|---|---|"]
    for verb in sorted(verbs.ALL, key=lambda verb: (verb.name.lower(), verb.is_word)):
        rows += [_row_of_verb(verb), *(_row_of_member(member) for member in verb.members if member.path != verb.name)]
    return "\n".join(rows) + "\n"


def _row_of_verb(verb: Verb) -> str:
    own = next((member for member in verb.members if member.path == verb.name), None)
    if verb.is_word:
        return f'| **`"{verb.name}"`** | | | {verb.does} |'
    if own is None:
        return f"| **`{verb.name}`** | | | {verb.does} |"
    does = ". ".join(filter(None, (verb.does, own.meaning)))
    return f"| **`{verb.name}`** | {own.kind.text} | {_default(own)} | {does} |"


def _row_of_member(member: Member[Any]) -> str:
    return f"| `{member.path}` | {member.kind.text} | {_default(member)} | {member.meaning} |"


def _default(member: Member[Any]) -> str:
    match member.default:
        case _ if member.is_required:
            return "required"
        case None | "" | () | {}:
            return ""
        case bool(value):
            return str(value).lower()
        case int(value) | float(value):
            return f"{value:,g}"
        case str(value):
            return f"`{value}`"
    raise AssertionError(f"no words for {member.default!r}")


def test_the_documentation_lists_every_verb_as_it_is_read() -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    written, _, _ = rest.partition(END)
    assert before
    assert written == table(), f"run python -m {__spec__.name}"


def test_no_two_verbs_are_written_the_same_way() -> None:
    assert len(verbs.OBJECTS) + len(verbs.WORDS) == len(verbs.ALL)


@pytest.mark.parametrize(
    ("verb", "member"),
    [
        pytest.param(verb, member, id=f"{verb.name}-{member.path}")
        for verb in verbs.OBJECTS.values()
        for member in verb.members
        if member.path != TAKES_ANYTHING
    ],
)
def test_a_member_that_is_documented_is_read(verb: Verb, member: Member[Any]) -> None:
    assert any(f"script[0].{member.path}" in _problems(verb, member, wrong) for wrong in (True, 5, [5]))


def _problems(verb: Verb, member: Member[Any], value: Any) -> dict[str, list[str]]:
    written: dict[str, Any] = {needed.path: "a" for needed in verb.members if needed.is_required} | {verb.name: None}
    *parents, name = member.path.split(".")
    place = written
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = value
    with pytest.raises(ScriptInvalid) as caught:
        compile_scenario([written, "no such word"])
    return caught.value.problems


def write() -> None:
    """Put the table into the documentation."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}{table()}{END}{after}")


if __name__ == "__main__":
    write()
