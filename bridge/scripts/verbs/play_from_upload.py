"""``playFromUpload`` plays an audio file that was uploaded before."""

from __future__ import annotations

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import UploadedAudio
from bridge.scripts.engine.playing import FixedSource, PlayStep
from bridge.scripts.language.kinds import TEXT, Member
from bridge.scripts.language.members import MemberReader
from bridge.scripts.verbs.play_from_url import LOOP_COUNT

_ID = Member("playFromUpload", TEXT, "", is_required=True)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    upload = UploadedAudio(_ID.read(verb))
    script.add(PlayStep(FixedSource(upload), LOOP_COUNT.read(verb), verb.path_of("playFromUpload")))


VERB = Verb("playFromUpload", "plays an uploaded file, by its id", (_ID, LOOP_COUNT), _read)
