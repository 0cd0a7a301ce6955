"""Symbols to words, where the voices of a language pass over them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_NAMES: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("symbols.toml").read_text(encoding="utf-8"))

SYMBOLS = frozenset(symbol for names in _NAMES.values() for symbol in names)
"""Symbols that have a name in every language: from the table, or from espeak-ng's own dictionary."""


def symbols_in_words(text: str, language: str) -> str:
    """``text`` with the names of its symbols in ``language``."""
    return text.translate(_spoken(language))


@cache
def _spoken(language: str) -> dict[int, str]:
    base = language.partition("-")[0]
    names = _NAMES.get(language) or _NAMES.get(base, {})
    return {ord(symbol): f" {name} " for symbol, name in names.items()}
