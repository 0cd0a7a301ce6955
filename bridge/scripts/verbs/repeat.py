"""``repeat`` performs a list of verbs once, and again while or until a condition is true."""

from __future__ import annotations

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.language.expressions import Unary
from bridge.scripts.language.kinds import CONDITION, VERBS, Member
from bridge.scripts.language.members import MemberReader
from bridge.scripts.verbs.while_ import add_loop

_BODY = Member("repeat", VERBS, None)
_WHILE = Member("while", CONDITION, None, "again while it is true; or `until`", is_required=True)
_UNTIL = Member("until", CONDITION, None, "again until it is true")


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    body = script.placed_label()
    script.read_branch(verb, _BODY)
    if verb.has("until"):
        until = _UNTIL.read(verb)
        if until is not None:
            add_loop(verb, "until", Unary("!", until), body, script)
    elif (condition := _WHILE.read(verb)) is not None:
        add_loop(verb, "while", condition, body, script)


VERB = Verb("repeat", "performs a list, and again while or until a condition is true", (_BODY, _WHILE, _UNTIL), _read)
