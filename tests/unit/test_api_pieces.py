"""A body that is read in pieces says what it says when it is read whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from bridge.api.http.pieces import read_json

PIECES = (1, 7, 40)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["", '"', "\\", '\\"', "[1,", "]", "}{", ",", '"a":'],),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=6),
    max_leaves=60,
)  # fmt: skip
indents = st.sampled_from([None, 0, 3])
scraps = st.text(alphabet='[]{},:"\\ 1a\n', max_size=24)


def read_whole(body: bytes) -> tuple[Any, ...]:
    """The value in a tuple; empty when it is none."""
    try:
        return (from_json(body, allow_inf_nan=False),)
    except ValueError:
        return ()


def read_in_pieces(body: bytes, piece: int) -> tuple[Any, ...]:
    try:
        return (read_json(body, piece),)
    except ValueError:
        return ()


@given(values, indents)
@settings(max_examples=150)
def test_every_value_is_read_as_it_was_written(value: Any, indent: int | None) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=False).encode(errors="surrogatepass")
    for piece in PIECES:
        assert read_in_pieces(body, piece) == read_whole(body)


@given(values, st.integers(0, 200), st.integers(0, 3), scraps)
@settings(max_examples=200)
@example([[1], [2]], 4, 1, "")
@example([[1, 2], 3], 6, 0, " 4 ")
def test_a_body_that_was_damaged_is_refused_in_pieces_when_it_is_refused_whole(
    value: Any, at: int, taken: int, put: str
) -> None:
    body = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    at %= len(body) + 1
    damaged = body[:at] + put.encode() + body[at + taken :]
    for piece in PIECES:
        assert read_in_pieces(damaged, piece) == read_whole(damaged)


@given(scraps.map(str.encode))
@settings(max_examples=200)
def test_scraps_are_refused_in_pieces_when_they_are_refused_whole(body: bytes) -> None:
    for piece in PIECES:
        assert read_in_pieces(body, piece) == read_whole(body)


@pytest.mark.parametrize("body", [b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000])
def test_a_body_that_is_nested_too_deep_is_refused(body: bytes) -> None:
    assert read_in_pieces(body, 10) == read_whole(body) == ()


def test_of_repeated_members_the_last_one_counts() -> None:
    body = b'{"a": [1, 2, 3, 4, 5], "b": 1, "a": 7, "b": [1, 2, 3, 4]}'
    assert read_json(body, 5) == {"a": 7, "b": [1, 2, 3, 4]}
