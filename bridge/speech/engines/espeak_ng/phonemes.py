"""What espeak-ng's phonemes tell about a character: heard, or passed over.

For a letter that it does not know espeak-ng says "letter" and the number of its code ("letter one d four one c"), or
only the name of its alphabet ("Chinese letter"): nobody understands what was meant. The name of a letter, and a word
in another language's voice, are heard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN_LETTER = "\U0001d41c"
"""A letter that no voice knows. No text contains it, since it is normalised to ``c``."""

ALPHABETS = (("\u3105", "\u3106"), ("\u309d", "\u309e"), ("\ua960", "\ua961"))
"""Two letters of each alphabet that espeak-ng names without a number: if it says the same of both, it names neither."""

EXAMPLES = (UNKNOWN_LETTER, *(letter for pair in ALPHABETS for letter in pair))

_BETWEEN_DIGITS = "_|"
_NOT_HEARD = re.compile(r"\([a-z-]+\)|[^A-Za-z@?&]")
"""The parts of phonemes that are no sound: the name of the language, stress, tones and pauses."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What a voice says of letters that it does not know: its word for "letter", and its names of whole alphabets."""

    letter: str
    alphabets: frozenset[str]

    @classmethod
    def of(cls, phonemes: Mapping[str, str]) -> Placeholders:
        """``phonemes`` are what the voice makes of the ``EXAMPLES``."""
        letter = _sound(phonemes[UNKNOWN_LETTER].split(_BETWEEN_DIGITS, maxsplit=1)[0])
        pairs = [(_sound(phonemes[one]), _sound(phonemes[other])) for one, other in ALPHABETS]
        return cls(letter[1:] or letter, frozenset(one for one, other in pairs if one == other))

    def is_heard(self, character: str, phonemes: str) -> bool:
        """Whether the phonemes of a character by itself tell which it is."""
        sound = _sound(phonemes)
        return bool(sound) and sound not in self.alphabets and not self._is_a_code(character, phonemes)

    def is_heard_in(self, place: str, alone: str) -> bool:
        """Whether a letter that is not heard ``alone`` shapes what is beside it in a ``place``; both are phonemes.

        It does (a sign of length, a soft sign) unless what the voice says of it alone is said there too.
        """
        said, placeholder = _sound(place), _sound(alone)
        return bool(said) and self.letter not in said and (not placeholder or placeholder not in said)

    def _is_a_code(self, character: str, phonemes: str) -> bool:
        first, *digits = phonemes.split(_BETWEEN_DIGITS)
        return len(digits) >= len(f"{ord(character):x}") and _sound(first).endswith(self.letter)


def _sound(phonemes: str) -> str:
    return _NOT_HEARD.sub("", phonemes)
