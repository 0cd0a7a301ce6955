"""Check of a text that is to be spoken: its length and its characters."""

from __future__ import annotations

import unicodedata

MOST_CHARACTERS = 1400

_LINE_BREAKS = "\t\n\r"
_UNSPEAKABLE_CATEGORIES = {"Cc", "Cs"}


def check_text(text: str) -> str:
    """The text as it is. Raises ValueError with a text for the application.

    At most 1,400 characters, at least one letter or digit of any script, no control characters but tabs and line
    breaks.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"must have at most {MOST_CHARACTERS} characters, has {len(text)}")
    if any(
        unicodedata.category(character) in _UNSPEAKABLE_CATEGORIES and character not in _LINE_BREAKS
        for character in text
    ):
        raise ValueError("must not contain control characters")
    if not any(character.isalnum() for character in text):
        raise ValueError("must contain a letter or a digit, not only punctuation")
    return text
