"""Telephone numbers as people and programs write them, read as digits with the country code first (ITU-T E.164)."""

from __future__ import annotations

import re

from bridge.telephony.countries import TrunkPrefixUnclear, country_code, without_trunk_prefix, without_zero
from bridge.telephony.written import plain_characters, refuse_other_characters, without_scheme

_FEWEST_DIGITS, _MOST_DIGITS = 4, 15
_FEWEST_SENDER_DIGITS = 3
_LONGEST_TEXT = 250
_COUNTRY_CODE_DIGITS = 3

_VISUAL_SEPARATORS = re.compile(r"[ ().-]+")
"""What people put between digits (RFC 3966, section 5.1.1, and the space of ITU-T E.123)."""
_ZERO_IN_BRACKETS = re.compile(r"\( *0 *\)")


def parse_number(text: str) -> str:
    """The digits of a destination, country code first (ITU-T E.164: at most 15).

    A leading ``+`` or ``00`` is taken off, separators and invisible characters are left out, and so is a trunk prefix
    behind the country code (``+41 (0)79 …``). Raises ValueError, with a text for the application, when it is no number,
    or one that can be read in two ways.
    """
    return _digits(text, _FEWEST_DIGITS)


def parse_sender(text: str) -> str:
    """The digits of a caller id, as `parse_number`, but as few as 3."""
    return _digits(text, _FEWEST_SENDER_DIGITS)


def _digits(text: str, fewest: int) -> str:
    digits = text if text.isascii() and text.isdigit() else _digits_written(text)
    digits = digits.removeprefix("00")
    if digits.startswith("0"):
        raise ValueError("must begin with the country code: none begins with 0")
    if not fewest <= len(digits) <= _MOST_DIGITS:
        raise ValueError(f"must have {fewest} to {_MOST_DIGITS} digits")
    try:
        return without_trunk_prefix(digits)
    except TrunkPrefixUnclear as unclear:
        raise ValueError(f"must not have the trunk prefix {unclear} behind the country code") from None


def _digits_written(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise ValueError("must be a telephone number: digits, country code first")
    written = without_scheme(plain_characters(text))
    refuse_other_characters(written)
    before, zero, behind = _parted_at_zero(written)
    if zero and _is_country_code(before) and len(behind) < _MOST_DIGITS:
        return before + _national(before, behind)
    if zero:
        raise ValueError("must have a 0 in brackets nowhere but behind the country code")
    return before


def _parted_at_zero(written: str) -> tuple[str, bool, str]:
    """The digits before a zero in brackets, whether there is one, and those behind it."""
    parts = _ZERO_IN_BRACKETS.split(written, maxsplit=1)
    before, *behind = (_VISUAL_SEPARATORS.sub("", part) for part in parts)
    before = before.removeprefix("+")
    if not (before + "".join(behind)).isdigit() or (behind and not before.removeprefix("00")):
        raise ValueError("must be a telephone number: digits, country code first")
    return (before.removeprefix("00") if behind else before), bool(behind), "".join(behind)


def _is_country_code(digits: str) -> bool:
    """Whether it is a country code, or three digits that begin with none: those of an operator's own numbering plan."""
    known = country_code(digits)
    return known == digits or (known is None and len(digits) == _COUNTRY_CODE_DIGITS)


def _national(code: str, behind: str) -> str:
    try:
        return without_zero(code, behind)
    except TrunkPrefixUnclear:
        raise ValueError("must not have brackets around the 0: in this country it may be part of the number") from None
