"""Telephone numbers: what is accepted, and what never becomes a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.numbers import parse_number, parse_sender


@pytest.mark.parametrize(
    "written",
    ["41793026727", "+41793026727", "0041793026727", "+41 79 302 67 27", "+41 (79) 302-67.27", "+0041793026727"],
)
def test_one_number_may_be_written_in_many_ways(written: str) -> None:
    assert parse_number(written) == "41793026727"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "abc",
        "41793O26727",
        "123",
        "00123",
        "1234567890123456",
        "41793026727\r\n",
        "4179\n3026727",
        "41793026727;ext=5",
        "4179@302",
        "٤١٧٩٣٠٢٦٧٢٧",
        "4179²",
        "++41793026727",
        "41+793026727",
        "000041793026727",
    ],
)
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_number(written)


def test_a_caller_id_may_be_a_short_code() -> None:
    assert parse_sender("123") == "123"
    with pytest.raises(ValueError, match="3 to 15"):
        parse_sender("12")


@given(st.text(max_size=30))
def test_whatever_is_accepted_is_4_to_15_ascii_digits_and_accepted_again(text: str) -> None:
    try:
        digits = parse_number(text)
    except ValueError:
        return
    assert set(digits) <= set("0123456789")
    assert 4 <= len(digits) <= 15
    assert parse_number(digits) == digits


@given(st.from_regex(r"\+?[ ]?[1-9]([ .()-]?[0-9]){3,14}", fullmatch=True))
def test_separators_never_change_the_digits(written: str) -> None:
    assert parse_number(written) == "".join(character for character in written if character.isdigit())
