"""Checks of values in scripts: telephone numbers, keys, texts to be spoken."""

from __future__ import annotations

import re

from bridge.telephony.numbers import parse_number

KEYS = re.compile(r"[0-9*A-D]{1,255}", re.ASCII)
"""What can be entered (RFC 4733 events); ``#`` ends an input."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def split_numbers(text: str) -> list[str]:
    """The digits of all numbers in a text with commas. Raises ValueError when one of them is no telephone number."""
    return [parse_number(part) for part in text.split(",")]


def can_be_spoken(text: str) -> bool:
    """Whether a text has at least one letter or digit."""
    return any(character.isalnum() for character in text)
