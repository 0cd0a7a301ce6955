"""Characters as an engine reads them: one form for each letter and digit, and nothing that has no sound of its own."""

from __future__ import annotations

import re
import unicodedata

from bridge.speech.text.symbols import SYMBOLS

_KEPT = frozenset("ªºµ\u0e33\u0eb3")
"""What voices read as it is; a Thai or Lao vowel that the compatibility form takes apart is not read at all."""

_APOSTROPHES = frozenset("'`\u00b4\u02b9\u02bb\u02bc\u2032")
_JOINERS = frozenset("\u200c\u200d")
_SILENT = frozenset("\u034f\u0640\u115f\u1160\u180b\u180c\u180d\u3164\uffa0")
"""Fillers, joiners and stretchers that Unicode counts as letters or marks."""

_VARIATIONS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_MOST_KNOWN = 20_000

_NOT_JOINING = re.compile("(?<![\u0600-\u1cff\ua8e0-\uabff])[\u200c\u200d]+")
_THOUSANDS = re.compile("(?<=[0-9])\u066c(?=[0-9])")
_DECIMALS = re.compile("(?<=[0-9])\u066b(?=[0-9])")
_KANA = "\u3040-\u30ff"
_LATIN_BESIDE_KANA = re.compile(f"(?<=[A-Za-z])(?=[{_KANA}])|(?<=[{_KANA}])(?=[A-Za-z])")


def plain(text: str) -> str:
    """``text`` without control and format characters, every decimal digit as 0 to 9, letters in their usual form.

    That is NFKC, except that punctuation stays as it is: it shapes the melody, and no other comma becomes ``,``.
    Symbols with a name stay too, and so do the joiners that shape letters (Indic, Persian).
    """
    composed = unicodedata.normalize("NFC", text.translate(_PLAIN))
    joined = _NOT_JOINING.sub("", composed)
    numbers = _DECIMALS.sub(".", _THOUSANDS.sub("", joined))
    return _LATIN_BESIDE_KANA.sub(" ", numbers)


class _Plain(dict[int, str]):
    """The plain form by code point, for ``str.translate``; remembers what it has worked out."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        form = self[code] = _plain(chr(code))
        return form


_PLAIN = _Plain()


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if character in _KEPT or character in _JOINERS or character in SYMBOLS:
        return character
    if character in _APOSTROPHES:
        return "'"
    if category in {"Cc", "Cf", "Cs"} or character in _SILENT or any(ord(character) in these for these in _VARIATIONS):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return _usual(character, category)


def _usual(character: str, category: str) -> str:
    form = unicodedata.normalize("NFKC", character).replace(",", " ")
    if form in SYMBOLS:
        return form
    if category[0] == "P":
        return character
    if category == "Sk" and ord(character) not in _SKIN_TONES:
        return "'" if form in _APOSTROPHES else " "
    if category == "No" and any(letter.isdecimal() for letter in form):
        return f" {form} "  # a circled or raised digit is no digit of the number beside it
    return form
