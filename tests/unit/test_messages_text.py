"""What may be spoken."""

from __future__ import annotations

import pytest

from bridge.messages.text import check_text


@pytest.mark.parametrize(
    "text",
    ["Hello", "7", "this,,,,is", "Dobar dan, čuješ li me?", "你好", "สวัสดี", "नमस्ते", "two\nlines\tof text", "a" * 1400],
)
def test_text_with_a_letter_or_digit_is_kept_as_it_is(text: str) -> None:
    assert check_text(text) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "letter or a digit"),
        (",,,,", "letter or a digit"),
        (" \n ", "letter or a digit"),
        ("¿?…—", "letter or a digit"),
        ("a" * 1401, "at most 1400"),
        ("null\x00byte", "control"),
        ("escape\x1b[31m", "control"),
        ("half a pair \ud800", "control"),
    ],
)
def test_what_cannot_be_spoken_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_text(text)
