"""Numbers to words, where the voice of a language says nothing for digits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from unicode_rbnf import RbnfEngine


@dataclass(frozen=True, slots=True)
class _Spelling:
    """``locale`` is CLDR's, ``point`` the word between a whole number and its decimals."""

    locale: str
    point: str


_SPELLINGS = {"he": _Spelling("he", "נקודה")}
"""The languages in which espeak-ng 1.51 says nothing for a digit."""

_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_LONGEST = 12
"""Digits that are read as one number; longer ones, and those that begin with 0, are read digit by digit."""


def numbers_in_words(text: str, language: str) -> str:
    """``text`` with its numbers (digits 0 to 9, a point before decimals) in words, if ``language`` needs that."""
    spelling = _SPELLINGS.get(language)
    if spelling is None:
        return text
    return _NUMBER.sub(lambda number: f" {_spelled(number, spelling)} ", text)


def _spelled(number: re.Match[str], spelling: _Spelling) -> str:
    whole, decimals = number.groups()
    is_a_code = len(whole) > _LONGEST or (whole[0] == "0" and len(whole) > 1)
    words = _digits(whole, spelling) if is_a_code else _words(int(whole), spelling)
    return words if decimals is None else f"{words} {spelling.point} {_digits(decimals, spelling)}"


def _digits(number: str, spelling: _Spelling) -> str:
    return " ".join(_words(int(digit), spelling) for digit in number)


def _words(number: int, spelling: _Spelling) -> str:
    return _engine(spelling.locale).format_number(number).text


@cache
def _engine(locale: str) -> RbnfEngine:
    return RbnfEngine.for_language(locale)
