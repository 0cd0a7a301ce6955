"""The pace of a trunk."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.dialer.pace import Pace


def test_the_first_call_starts_at_once_and_the_next_ones_a_gap_apart() -> None:
    pace = Pace(per_second=10)
    assert [round(pace.reserve(100.0), 6) for _ in range(3)] == [0.0, 0.1, 0.2]


def test_an_idle_trunk_saves_up_nothing() -> None:
    pace = Pace(per_second=10)
    pace.reserve(0.0)
    assert pace.reserve(1000.0) == 0.0
    assert round(pace.reserve(1000.0), 6) == 0.1


@given(st.floats(0.1, 100), st.lists(st.floats(0, 5), max_size=50))
def test_calls_never_start_closer_together_than_the_gap(per_second: float, pauses: list[float]) -> None:
    pace, now, starts = Pace(per_second), 0.0, []
    for pause in pauses:
        now += pause
        starts.append(now + pace.reserve(now))
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert all(gap >= 1 / per_second - 1e-6 for gap in gaps)


def test_a_turn_that_begins_later_is_not_counted() -> None:
    pace = Pace(per_second=1)
    pace.reserve(0.0)
    assert pace.turns_within(0.5, 0.0) == 0
    assert pace.turns_within(1.5, 0.0) == 1


@given(st.floats(0.1, 100), st.integers(0, 30), st.floats(0, 3))
def test_turns_within_a_time_are_those_that_would_be_given(per_second: float, taken: int, seconds: float) -> None:
    pace, counted = Pace(per_second), Pace(per_second)
    for _ in range(taken):
        pace.reserve(0.0)
        counted.reserve(0.0)
    turns = pace.turns_within(seconds, 0.0)
    waits = [counted.reserve(0.0) for _ in range(turns + 1)]
    assert all(wait <= seconds + 1e-6 for wait in waits[:-1])
    assert waits[-1] > seconds - 1e-6
