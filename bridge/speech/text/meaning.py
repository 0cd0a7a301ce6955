"""Which characters must be heard."""

from __future__ import annotations

import unicodedata

from bridge.speech.text.symbols import SYMBOLS

_UNKNOWN = {"Cn", "Co"}
"""Unassigned and private use: they mean something to whoever sent them."""


def carries_meaning(character: str) -> bool:
    """Whether it must be heard: letters, digits and symbols must.

    Punctuation shapes the melody, marks and format characters shape their letters.
    """
    category = unicodedata.category(character)
    return category[0] in "LNS" or category in _UNKNOWN or character in SYMBOLS
