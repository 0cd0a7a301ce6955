"""The word ``repeat`` plays the message again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.run import Jump
from bridge.scripts.language.members import MemberReader


@dataclass(frozen=True, slots=True)
class RepeatStep(Jump):
    """Jumps back to the message."""

    ends_or_jumps: ClassVar[bool] = True


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    if script.message is None:
        script.refuse_word("repeat", verb.path)
    else:
        script.add(RepeatStep(script.message))


VERB = Verb("repeat", "in action groups: plays the message again", (), _read, is_word=True)
