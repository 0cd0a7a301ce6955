"""Checks of values in scripts: telephone numbers, keys, URLs, texts to be spoken."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

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


def url_problem(url: str, *, is_whole: bool = True) -> str | None:
    """What is wrong with a URL, or with its beginning when it is not whole."""
    if not url.lower().startswith(("http://", "https://")):
        return "must be an http or https URL"
    if CONTROL.search(url) or " " in url:
        return "must not contain spaces or control characters"
    if not is_whole:
        return None
    try:
        parts = urlsplit(url)
        names_a_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        names_a_host = False
    return None if names_a_host else "must name a host"
