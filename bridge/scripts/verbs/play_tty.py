"""``playTty`` sends a text to a text telephone."""

from __future__ import annotations

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import Tty
from bridge.scripts.engine.playing import PlayStep, TemplateSource
from bridge.scripts.language.kinds import Member, template
from bridge.scripts.language.members import MemberReader
from bridge.scripts.verbs.say import read_spoken

_TEXT = Member("playTty", template(limits.MAX_TEXT), None, is_required=True)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    text = read_spoken(verb, _TEXT)
    if text is not None:
        script.add(PlayStep(TemplateSource(Tty, text)))


VERB = Verb("playTty", "a text for text telephones, in Baudot tones (ITU-T V.18 annex A, 45.45 baud)", (_TEXT,), _read)
