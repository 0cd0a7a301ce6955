"""Which voice of which engine speaks a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.speech.engine import Engine, Voice
from bridge.speech.errors import LanguageUnsupportedError, VoiceUnknownError
from bridge.speech.hosted_voices import HOSTED_DEFAULTS, HOSTED_VOICES, hosted_gender
from bridge.speech.phrase import Phrase
from bridge.speech.text.languages import language_code


@dataclass(frozen=True, slots=True)
class ListedVoice:
    """A name that a caller may send. ``supplier`` is the engine that speaks, also for a hosted service's name."""

    name: str
    gender: str
    supplier: str
    is_default: bool
    ssml_supported: bool = False
    is_neural: bool = False


def voices_in(language: str, engines: Sequence[Engine]) -> list[Voice]:
    """All voices for a language in the engines' order; the first is the default. Empty for an unknown language."""
    code = language_code(language)
    found = [voice for engine in engines for voice in engine.voices(code)]
    return [replace(voice, is_default=place == 0) for place, voice in enumerate(found)]


def listed_voices(language: str, engines: Sequence[Engine]) -> list[ListedVoice]:
    """Every name for a language, the hosted service's behind ours; one is the default. Empty for an unknown language.

    Nothing is said in a language that no engine speaks, so the hosted service's names are left out then too.
    """
    ours = voices_in(language, engines)
    hosted_default = HOSTED_DEFAULTS.get(language_code(language))
    listed = [
        ListedVoice(voice.name, voice.gender, voice.engine, voice.is_default and hosted_default is None)
        for voice in ours
    ]
    suppliers = {voice.gender: voice.engine for voice in reversed(ours)}
    for gender, names in HOSTED_VOICES.get(language_code(language), {}).items():
        if gender in suppliers:
            listed += [ListedVoice(name, gender, suppliers[gender], name == hosted_default) for name in names]
    return listed


def candidate_voices(phrase: Phrase, engines: Sequence[Engine]) -> list[Voice]:
    """One voice of each engine that may speak the phrase, the one to be tried first in front.

    A voice that was named comes first, then voices of the wanted gender; otherwise the engines' order stands. Raises
    LanguageUnsupportedError and VoiceUnknownError.
    """
    allowed = [engine for engine in engines if engine.local or not phrase.sensitive]
    everyone = voices_in(phrase.language, allowed)
    if not everyone:
        raise LanguageUnsupportedError(_unsupported(phrase, allowed))
    name = phrase.voice.strip().casefold() if phrase.voice else None
    named = next((voice for voice in everyone if voice.name.casefold() == name), None)
    gender = named.gender if named else phrase.gender
    if name and named is None:
        gender = hosted_gender(name)
        if gender is None:
            names = ", ".join(voice.name for voice in everyone)
            raise VoiceUnknownError(f"no voice {phrase.voice!r} for {phrase.language!r}; there are {names}")
    by_fit = sorted(everyone, key=lambda voice: (voice != named, voice.gender != gender))
    first: dict[str, Voice] = {}
    for voice in by_fit:
        first.setdefault(voice.engine, voice)
    return list(first.values())


def _unsupported(phrase: Phrase, engines: Sequence[Engine]) -> str:
    spoken = sorted({code for engine in engines for code in engine.languages()})
    who = "local engine" if phrase.sensitive else "engine"
    return f"no {who} speaks {phrase.language!r}; there are {', '.join(spoken)}"
