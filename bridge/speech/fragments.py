"""A text, cut at its commas into what is spoken between the pauses."""

from __future__ import annotations

import unicodedata


def fragments(text: str) -> tuple[str, ...]:
    """The pieces of ``text`` between its commas, in order; an empty piece is nothing to say.

    Each comma is one pause wherever it stands, so there is one piece more than there are commas. Only ``,`` counts;
    the commas of other scripts are left to the engine.
    """
    return tuple(_speakable(piece) for piece in _clean(text).split(","))


def _clean(text: str) -> str:
    """Composed Unicode without control characters (espeak-ng takes commands after U+0001) and lone surrogates."""
    kept = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    return "".join(character for character in kept if unicodedata.category(character) not in {"Cc", "Cs"})


def _speakable(piece: str) -> str:
    words = " ".join(piece.split())
    return words if any(_can_be_heard(character) for character in words) else ""


def _can_be_heard(character: str) -> bool:
    """Letters, digits and symbols (``%``, ``€``) are spoken; punctuation alone only shapes the melody."""
    return unicodedata.category(character)[0] in "LNS" or character in "%&@#*"
