"""The retry ladder, with the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.message import Retry
from bridge.messages.retry import LADDER, MOST_RETRIES, next_attempt, retry_policy, round_to_ladder

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def waits(policy: Retry) -> list[int]:
    """The minutes from each failed attempt to the next one."""
    minutes: list[int] = []
    while (again := next_attempt(policy, len(minutes) + 1, NOW)) is not None:
        minutes.append(int((again - NOW) / timedelta(minutes=1)))
    return minutes


def test_waits_walk_the_ladder_and_stay_at_the_longest() -> None:
    policy = retry_policy(min_period=1, max_period=5, max_count=4)
    assert waits(policy) == [1, 2, 5, 5]


def test_equal_periods_give_a_constant_wait() -> None:
    assert waits(retry_policy(min_period=30, max_period=30, max_count=3)) == [30, 30, 30]


def test_other_periods_are_rounded_up_to_the_ladder() -> None:
    assert waits(retry_policy(min_period=3, max_period=61, max_count=4)) == [5, 10, 20, 30]
    assert retry_policy(min_period=1000, max_period=100_000, max_count=1) == Retry(1440, 1440, 1)


def test_there_are_at_most_four_retries() -> None:
    assert len(waits(retry_policy(min_period=1, max_period=1, max_count=99))) == MOST_RETRIES


def test_without_a_policy_or_a_count_nobody_is_called_again() -> None:
    assert next_attempt(None, 1, NOW) is None
    assert next_attempt(retry_policy(min_period=1, max_period=1, max_count=0), 1, NOW) is None


def test_a_shortest_period_above_the_longest_is_refused() -> None:
    with pytest.raises(ValueError, match="minPeriod"):
        retry_policy(min_period=10, max_period=5, max_count=1)


@given(st.integers(min_value=1, max_value=10**9))
def test_rounding_gives_the_nearest_step_that_is_long_enough(minutes: int) -> None:
    rounded = round_to_ladder(minutes)
    assert rounded in LADDER
    assert rounded >= min(minutes, LADDER[-1])
    assert all(step < minutes for step in LADDER if step < rounded)


@given(
    st.lists(st.integers(min_value=1, max_value=2000), min_size=2, max_size=2).map(sorted),
    st.integers(min_value=0, max_value=10),
)
def test_waits_never_shrink_and_keep_to_the_policy(periods: list[int], count: int) -> None:
    policy = retry_policy(min_period=periods[0], max_period=periods[1], max_count=count)
    minutes = waits(policy)
    assert len(minutes) == min(count, MOST_RETRIES)
    assert all(policy.min_period <= wait <= policy.max_period for wait in minutes)
    assert all(earlier <= later for earlier, later in pairwise(minutes))
