"""A phrase, the text to be spoken, and a prompt, the sound files that are played."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text to be spoken.

    ``language`` is a language code of the API in lower case (``en``, ``pt-br``). ``voice`` names one voice, ``gender``
    (``male``, ``female``) picks the first such voice; with neither the language's default speaks. ``rate`` is 0.5 to 2.
    A ``sensitive`` phrase is spoken by local engines only.
    """

    text: str
    language: str = "en"
    voice: str | None = None
    gender: str | None = None
    rate: float = 1.0
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """Sound that exists as files, one for each codec of the trunks.

    ``stem`` is the absolute path without its ending: Asterisk picks ``stem.ulaw``, ``stem.alaw`` or ``stem.g722`` by
    the channel's codec. ``seconds`` is the whole length, with the silence that every prompt ends with;
    ``sound_seconds`` is the length without it, to the millisecond.
    """

    stem: Path
    seconds: float
    sound_seconds: float
    engine: str
    voice: str
    cached: bool
