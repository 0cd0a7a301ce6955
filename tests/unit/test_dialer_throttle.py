"""How a trunk that cannot keep up is called more slowly, and recovers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.dialer.throttle import Throttle

CONFIGURED = 20.0
TOLD = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.sampled_from(["began at once", "began slowly", "rejected", "refused"]),
    ),
    max_size=80,
)


def tell(throttle: Throttle, what: str, now: float) -> None:
    match what:
        case "began at once":
            throttle.began(0.002, now)
        case "began slowly":
            throttle.began(2.0, now)
        case "rejected":
            throttle.rejected(now)
        case "refused":
            throttle.refused(now)


def test_a_rejected_originate_halves_the_pace_and_it_grows_back_by_a_twentieth_a_second() -> None:
    throttle = Throttle(CONFIGURED)
    throttle.rejected(100.0)
    assert throttle.rate(100.0) == 10
    assert throttle.rate(101.0) == 11
    assert throttle.rate(105.0) == 15
    assert throttle.rate(110.0) == CONFIGURED
    assert throttle.rate(1000.0) == CONFIGURED


def test_trouble_within_a_second_counts_once() -> None:
    throttle = Throttle(CONFIGURED)
    for tenth in range(10):
        throttle.rejected(100 + tenth / 10)
    assert 10 <= throttle.rate(100.9) < 11
    throttle.rejected(101.0)
    assert throttle.rate(101.0) < 6


def test_lasting_trouble_leaves_one_call_in_five_seconds() -> None:
    throttle = Throttle(CONFIGURED)
    for second in range(60):
        throttle.rejected(float(second))
    assert 0.2 <= throttle.rate(59.0) < 2
    slow = Throttle(0.1)
    slow.rejected(0.0)
    assert slow.rate(0.0) == 0.1


def test_answers_of_asterisk_that_are_mostly_slow_are_trouble_and_one_slow_answer_is_not() -> None:
    throttle = Throttle(CONFIGURED)
    for turn in range(90):
        throttle.began(5.0 if turn % 3 == 0 else 0.002, turn / 10)
    assert throttle.rate(9.0) == CONFIGURED
    for turn in range(5):
        throttle.began(0.6, 9 + turn / 100)
    assert throttle.rate(9.1) < CONFIGURED


def test_a_number_that_is_refused_now_and_then_is_no_trouble_and_a_trunk_that_refuses_half_is() -> None:
    throttle = Throttle(CONFIGURED)
    for turn in range(100):
        throttle.began(0.002, turn / 10)
        if turn % 5 == 0:
            throttle.refused(turn / 10)
    assert throttle.rate(10.0) == CONFIGURED
    for turn in range(10):
        throttle.began(0.002, 10 + turn / 100)
        throttle.refused(10 + turn / 100)
    assert throttle.rate(10.1) < CONFIGURED * 0.6


@given(st.floats(0.05, 1000), TOLD)
def test_the_pace_stays_between_its_floor_and_what_is_configured(
    configured: float, told: list[tuple[float, str]]
) -> None:
    throttle, now = Throttle(configured), 0.0
    for pause, what in told:
        now += pause
        tell(throttle, what, now)
        assert min(configured, 0.2) <= throttle.rate(now) <= configured


@given(TOLD)
def test_without_trouble_the_pace_never_falls_and_is_back_within_twenty_seconds(told: list[tuple[float, str]]) -> None:
    throttle, now = Throttle(CONFIGURED), 0.0
    for pause, what in told:
        now += pause
        tell(throttle, what, now)
    rates = [throttle.rate(now + quiet / 10) for quiet in range(201)]
    assert all(earlier <= later for earlier, later in pairwise(rates))
    assert rates[-1] == CONFIGURED


@given(TOLD)
def test_the_pace_is_cut_at_most_by_half_and_at_most_once_a_second(told: list[tuple[float, str]]) -> None:
    throttle, now, cuts = Throttle(CONFIGURED), 0.0, []
    for pause, what in told:
        now += pause
        before = throttle.rate(now)
        tell(throttle, what, now)
        assert throttle.rate(now) >= before / 2
        if throttle.rate(now) < before:
            cuts.append(now)
    assert all(later - earlier >= 1 for earlier, later in pairwise(cuts))
