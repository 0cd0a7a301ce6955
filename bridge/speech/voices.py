"""Which voice of which engine speaks a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.speech.engine import Engine, Voice
from bridge.speech.errors import LanguageUnsupportedError, VoiceUnknownError
from bridge.speech.languages import language_code
from bridge.speech.phrase import Phrase

HOSTED_VOICES = {
    "female": "aditi amy astrid bianca camila carla carmen celine chantal conchita dora emma ewa filiz gwyneth ines "
    "ivy joanna kendra kimberly lea liv lotte lucia lupe maja marlene mia mizuki naja nicole penelope raveena salli "
    "seoyeon tatyana vicki vitoria zeina zhiyu",
    "male": "brian cristiano enrique geraint giorgio hans jacek jan joey justin karl mads mathieu matthew maxim miguel "
    "ricardo ruben russell takumi",
}
HOSTED_GENDERS = {name: gender for gender, names in HOSTED_VOICES.items() for name in names.split()}
"""Names of the hosted service's voices, which applications go on sending: each stands for a voice of its gender."""


def voices_in(language: str, engines: Sequence[Engine]) -> list[Voice]:
    """All voices for a language in the engines' order; the first is the default. Empty for an unknown language."""
    code = language_code(language)
    found = [voice for engine in engines for voice in engine.voices(code)]
    return [replace(voice, is_default=place == 0) for place, voice in enumerate(found)]


def casting(phrase: Phrase, engines: Sequence[Engine]) -> list[Voice]:
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
    if name and named is None and name not in HOSTED_GENDERS:
        names = ", ".join(voice.name for voice in everyone)
        raise VoiceUnknownError(f"no voice {phrase.voice!r} for {phrase.language!r}; there are {names}")
    if named is not None:
        gender: str | None = named.gender
    else:
        gender = HOSTED_GENDERS.get(name or "", phrase.gender)
    by_fit = sorted(everyone, key=lambda voice: (voice != named, voice.gender != gender))
    first: dict[str, Voice] = {}
    for voice in by_fit:
        first.setdefault(voice.engine, voice)
    return list(first.values())


def _unsupported(phrase: Phrase, engines: Sequence[Engine]) -> str:
    spoken = sorted({code for engine in engines for code in engine.languages()})
    who = "local engine" if phrase.sensitive else "engine"
    return f"no {who} speaks {phrase.language!r}; there are {', '.join(spoken)}"
