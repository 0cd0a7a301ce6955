"""A text is cut at its commas, and nothing dangerous is left in it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.speech.text import fragments

ANY_TEXT = st.text(st.characters(), max_size=200)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("hello", ("hello",)),
        ("this,,is", ("this", "", "is")),
        (",a,", ("", "a", "")),
        ("PIN,1 , 2", ("PIN", "1", "2")),
        ("1,000", ("1", "000")),
        ("a\r\n b\t c", ("a b c",)),
        ("what?!, ... ,no", ("what?!", "", "no")),
        ("50 %,%,€", ("50 %", "%", "€")),
        ("\x01r200 fast\x00", ("r200 fast",)),
        ("broken \ud800 half", ("broken half",)),
        ("\u4f60\u597d\uff0c\u4e16\u754c", ("\u4f60\u597d\uff0c\u4e16\u754c",)),
        ("", ("",)),
    ],
)
def test_text_is_cut_at_its_commas(text: str, pieces: tuple[str, ...]) -> None:
    assert fragments(text, "en") == pieces


@given(ANY_TEXT)
def test_each_comma_is_one_cut_wherever_it_stands(text: str) -> None:
    assert len(fragments(text, "en")) == text.count(",") + 1


@given(ANY_TEXT)
def test_pieces_are_clean_text(text: str) -> None:
    for piece in fragments(text, "en"):
        piece.encode("utf-8")
        assert not any(unicodedata.category(character) == "Cc" for character in piece)
        assert piece == " ".join(piece.split())


@given(ANY_TEXT)
def test_cutting_what_was_cut_changes_nothing(text: str) -> None:
    assert fragments(",".join(fragments(text, "en")), "en") == fragments(text, "en")
