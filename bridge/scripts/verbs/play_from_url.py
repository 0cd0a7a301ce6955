"""``playFromUrl`` plays an audio file."""

from __future__ import annotations

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import Audio
from bridge.scripts.engine.playing import PlayStep, TemplateSource
from bridge.scripts.language.kinds import URL, Member, whole
from bridge.scripts.language.members import MemberReader

LOOP_COUNT = Member("options.loopCount", whole(1, 10), 1, "how often it is played")
_URL = Member("playFromUrl", URL, None, is_required=True)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    url = _URL.read(verb)
    loops = LOOP_COUNT.read(verb)
    if url is not None:
        script.add(PlayStep(TemplateSource(Audio, url), loops, verb.path_of("playFromUrl")))


VERB = Verb("playFromUrl", "plays an audio file", (_URL, LOOP_COUNT), _read)
