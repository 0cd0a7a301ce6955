"""How long what has failed is left alone."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.base.backoff import Backoff, Waits, is_set_within

SECONDS = st.floats(min_value=0.001, max_value=1000.0)
FACTORS = st.floats(min_value=1.0, max_value=10.0)


@given(first=SECONDS, longest=SECONDS, factor=FACTORS, jitter=st.floats(0, 1), failures=st.integers(1, 50))
def test_a_wait_is_never_longer_than_it_may_be_nor_shorter_than_chance_makes_it(
    first: float, longest: float, factor: float, jitter: float, failures: int
) -> None:
    backoff = Backoff(Waits(first, longest, factor, jitter))
    for number in range(failures):
        wait, whole = backoff.failed(), min(first * factor**number, longest)
        assert whole * (1 - jitter) * 0.999 <= wait <= whole * 1.001
        assert backoff.failures == number + 1


@given(first=SECONDS, longest=SECONDS, factor=FACTORS)
def test_without_chance_waits_only_grow(first: float, longest: float, factor: float) -> None:
    backoff = Backoff(Waits(first, longest, factor))
    waits = [backoff.failed() for _ in range(30)]
    assert waits[0] == min(first, longest)
    assert all(earlier <= later for earlier, later in pairwise(waits))


def test_waits_double_up_to_the_longest_and_begin_anew_when_it_works() -> None:
    backoff = Backoff(Waits(first=0.25, longest=5.0))
    assert [backoff.failed() for _ in range(7)] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.failed() == 0.25


def test_what_fails_for_years_is_still_tried() -> None:
    backoff = Backoff(Waits(first=1.0, longest=30.0))
    assert [backoff.failed() for _ in range(100_000)][-1] == 30.0


def test_those_who_failed_together_do_not_come_back_together() -> None:
    waits = {Backoff(Waits(first=1.0, longest=1.0, jitter=0.5)).failed() for _ in range(100)}
    assert len(waits) > 90
    assert max(waits) - min(waits) > 0.25


@pytest.mark.parametrize("seconds", [20.0, None])
async def test_a_wait_is_cut_short(seconds: float | None) -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    async with asyncio.timeout(10):
        assert await is_set_within(event, seconds)


async def test_a_wait_ends_by_itself() -> None:
    assert not await is_set_within(asyncio.Event(), 0.01)
