"""Which characters must be heard."""

from __future__ import annotations

import unicodedata

from bridge.speech.text.symbols import SYMBOLS

_UNKNOWN = {"Cn", "Co"}
"""Unassigned and private use: whatever they mean to who sent them, it is not nothing."""


def carries_meaning(character: str) -> bool:
    """Letters, digits and symbols do; punctuation shapes the melody, marks and format characters their letters."""
    category = unicodedata.category(character)
    return category[0] in "LNS" or category in _UNKNOWN or character in SYMBOLS
