"""``pause`` plays silence."""

from __future__ import annotations

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import Silence
from bridge.scripts.engine.playing import FixedSource, PlayStep
from bridge.scripts.language.kinds import Member, number
from bridge.scripts.language.members import MemberReader

_SECONDS = Member("pause", number(0, 5, "seconds"), None, is_required=True)


def silence(seconds: float) -> PlayStep:
    """So many seconds of silence."""
    return PlayStep(FixedSource(Silence(float(seconds))))


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    seconds = _SECONDS.read(verb)
    if seconds == 0:
        verb.refuse("pause", "must be more than 0")
    script.add(silence(seconds or 0))


VERB = Verb("pause", "silence, more than 0 s", (_SECONDS,), _read)
