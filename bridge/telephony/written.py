"""Characters of a written telephone number: other forms made plain, invisible ones dropped, all others refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_MINUS_SIGN, _FULL_WIDTH_PLUS = "\N{MINUS SIGN}", "\N{FULLWIDTH PLUS SIGN}"
_BRACKETS = {"[": "(", "]": ")"} | {"\N{FULLWIDTH LEFT PARENTHESIS}": "(", "\N{FULLWIDTH RIGHT PARENTHESIS}": ")"}
_SAME = {_MINUS_SIGN: "-", _FULL_WIDTH_PLUS: "+", "\N{FULLWIDTH FULL STOP}": "."} | _BRACKETS

_OTHER = re.compile(r"[^0-9 ().+-]+")
_EXTENSION = re.compile(r"[,;#*]|(e?xt(ensio)?n?|[xpw])(\b|(?=[0-9]))", re.IGNORECASE)
_EXTENSION_PARAMETERS = ("ext", "isub", "postd")
_NO_EXTENSION = "must be without an extension: its keys cannot be dialled with the number"


def plain_characters(text: str) -> str:
    """Digits of any script as ASCII, every dash ``-``, every space `` ``; without invisible characters.

    White space at either end is left out; a line break inside stays, since two numbers may stand there.
    """
    return "".join(_plain(text)).strip()


def _plain(text: str) -> Iterator[str]:
    for character in text:
        category = unicodedata.category(character)
        if category == "Nd":
            yield str(unicodedata.decimal(character))
        elif category == "Pd":
            yield "-"
        elif category == "Zs":
            yield " "
        elif category != "Cf":
            yield _SAME.get(character, character)


def without_scheme(written: str) -> str:
    """The number of a ``tel:`` URI (RFC 3966), a local one with its context before it; other texts as they are.

    Raises ValueError when it has an extension, or belongs to a private plan.
    """
    if written[:4].lower() != "tel:":
        return written
    number, *parameters = written[4:].split(";")
    values = {name.strip().lower(): value for name, _, value in (parameter.partition("=") for parameter in parameters)}
    if any(name in values for name in _EXTENSION_PARAMETERS):
        raise ValueError(_NO_EXTENSION)
    context = values.get("phone-context", "")
    if number.lstrip(" (").startswith("+") or not context:
        return number
    if not context.startswith("+"):
        raise ValueError("must not be of a private plan: its phone-context is no country code")
    return f"{context} {number}"


def refuse_other_characters(written: str) -> None:
    """Raises ValueError that names what cannot stand in a telephone number."""
    other = _OTHER.search(written)
    if other is None:
        return
    if other.start() and _EXTENSION.match(written, other.start()):
        raise ValueError(_NO_EXTENSION)
    if letters := "".join(character for character in written if character.isalpha()):
        raise ValueError(f"must be a telephone number in digits: {letters!r} are letters")
    raise ValueError(f"must be a telephone number: digits, country code first; it has {other[0]!r}")
