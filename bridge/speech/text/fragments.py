"""A text, cut at its commas into what is spoken between the pauses."""

from __future__ import annotations

from bridge.speech.text.characters import plain
from bridge.speech.text.meaning import carries_meaning
from bridge.speech.text.numbers import numbers_in_words
from bridge.speech.text.symbols import symbols_in_words


def fragments(text: str, language: str) -> tuple[str, ...]:
    """The pieces of ``text`` between its commas as ``language`` says them, in order; an empty piece is nothing to say.

    Each comma is one pause wherever it stands, so there is one piece more than there are commas. Only ``,`` counts;
    the commas of other scripts are left to the engine. ``language`` is a language code of the API.
    """
    words = numbers_in_words(symbols_in_words(plain(text), language), language)
    return tuple(_speakable(piece) for piece in words.split(","))


def _speakable(piece: str) -> str:
    words = " ".join(piece.split())
    return words if any(map(carries_meaning, words)) else ""
