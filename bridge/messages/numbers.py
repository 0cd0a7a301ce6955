"""Telephone numbers as callers write them, and as digits."""

from __future__ import annotations

import re

_VISUAL_SEPARATORS = re.compile(r"[ ().-]")
"""What people put between digits (RFC 3966, section 5.1.1, and the space of ITU-T E.123)."""

_FEWEST_DIGITS, _MOST_DIGITS = 4, 15
_FEWEST_SENDER_DIGITS = 3


def parse_number(text: str) -> str:
    """The digits of a destination, country code first (ITU-T E.164: at most 15).

    A leading ``+`` or ``00`` is taken off, visual separators are left out. Raises ValueError, with a text for the
    caller, when it is no number.
    """
    return _digits(text, _FEWEST_DIGITS)


def parse_sender(text: str) -> str:
    """The digits of a caller id, as `parse_number`, but as few as 3."""
    return _digits(text, _FEWEST_SENDER_DIGITS)


def _digits(text: str, fewest: int) -> str:
    digits = _VISUAL_SEPARATORS.sub("", text).removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit()) or digits.startswith("00"):
        raise ValueError("must be a telephone number: digits, country code first")
    if not fewest <= len(digits) <= _MOST_DIGITS:
        raise ValueError(f"must have {fewest} to {_MOST_DIGITS} digits")
    return digits
