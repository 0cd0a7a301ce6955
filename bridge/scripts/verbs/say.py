"""``say`` speaks a text."""

from __future__ import annotations

from dataclasses import replace

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.engine.playing import PlayStep, SpeechOptions, SpeechSource
from bridge.scripts.language.checks import can_be_spoken
from bridge.scripts.language.kinds import TEXT, Member, number, one_of, template
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template

_SLOWEST, _FASTEST = 0.5, 2.0

_TEXT = Member("say", template(limits.MAX_TEXT), None, is_required=True)
_LANGUAGE = Member("options.language", TEXT, None, "the message's own when missing; another one has its default voice")
_VOICE_NAME = Member("options.voice.name", TEXT, None, "`voice` may also be just its name")
_VOICE_GENDER = Member("options.voice.gender", one_of(("male", "female")), None)
_RATE = Member(
    "options.speechRate", number(0, limits.MAX_VALUE), None, f"taken as {_SLOWEST} to {_FASTEST}; the message's own"
)


def read_spoken(verb: MemberReader, member: Member[Template | None]) -> Template | None:
    """A text to be spoken; a fixed one in which nothing can be spoken is refused."""
    text = member.read(verb)
    if text is not None and text.is_fixed and not can_be_spoken(text.render({})):
        verb.refuse(member.path, "has nothing that can be spoken")
    return text


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    text = read_spoken(verb, _TEXT)
    options = _options(verb, script.speech)
    if text is not None:
        script.add(PlayStep(SpeechSource(text, options), path=verb.path_of("say")))


def _options(verb: MemberReader, inherited: SpeechOptions) -> SpeechOptions:
    speech = inherited
    options = verb.members("options")
    if language := _LANGUAGE.read(verb):
        speech = replace(speech, language=language.lower(), language_path=options.path_of("language"))
    if speech.language != inherited.language:
        speech = replace(speech, voice=None, gender=None)
    if isinstance(options.value.get("voice"), str):
        speech = replace(speech, voice=options.text("voice"), gender=None, voice_path=options.path_of("voice"))
    elif options.has("voice"):
        name, gender = _VOICE_NAME.read(verb), _VOICE_GENDER.read(verb)
        path = options.members("voice").path_of("name")
        speech = replace(speech, voice=name, gender=gender, voice_path=path)
    rate = _RATE.read(verb)
    if rate is not None:
        speech = replace(speech, rate=min(max(float(rate), _SLOWEST), _FASTEST))
    return speech


VERB = Verb(
    "say",
    "speaks; without options as the message's own text is spoken",
    (_TEXT, _LANGUAGE, _VOICE_NAME, _VOICE_GENDER, _RATE),
    _read,
)
