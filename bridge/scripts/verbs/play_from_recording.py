"""``playFromRecording`` plays what was recorded on this call."""

from __future__ import annotations

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import RecordedAudio
from bridge.scripts.engine.playing import FixedSource, PlayStep, TemplateSource
from bridge.scripts.language.kinds import Member, read_by_its_verb, template, whole
from bridge.scripts.language.members import MemberReader

_IDENTIFIER = Member("playFromRecording", template(), None)
_INDEX = Member("playFromRecording", whole(0, limits.MAX_VERBS), None)
_REFERENCE = Member("playFromRecording", read_by_its_verb("null, whole number or text"), None)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    if not isinstance(verb.value["playFromRecording"], str):
        script.add(PlayStep(FixedSource(RecordedAudio(_INDEX.read(verb)))))
    elif (identifier := _IDENTIFIER.read(verb)) is not None:
        script.add(PlayStep(TemplateSource(RecordedAudio, identifier)))


VERB = Verb(
    "playFromRecording",
    "plays what was recorded last; a number is an index from 0, a text an identifier",
    (_REFERENCE,),
    _read,
)
