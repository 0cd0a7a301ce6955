"""An engine that failed is left alone for a while, then tried once."""

from __future__ import annotations

from bridge.speech.breaker import WAITS, Breaker


def test_a_fresh_breaker_allows_everything() -> None:
    assert Breaker().allows(0)


def test_a_failure_opens_it_for_the_first_wait() -> None:
    breaker = Breaker()
    breaker.failed(100)
    assert not breaker.allows(100)
    assert not breaker.allows(100 + WAITS.first - 0.1)
    assert breaker.allows(100 + WAITS.first)


def test_one_trial_at_a_time() -> None:
    breaker = Breaker()
    breaker.failed(0)
    assert breaker.allows(WAITS.first)
    assert not breaker.allows(WAITS.first)


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = Breaker()
    breaker.failed(0)
    breaker.allows(WAITS.first)
    breaker.succeeded()
    assert breaker.allows(WAITS.first)
    breaker.failed(50)
    assert breaker.allows(50 + WAITS.first)


def test_each_failed_trial_doubles_the_wait_up_to_the_longest() -> None:
    breaker, now, waits = Breaker(), 0.0, []
    breaker.failed(now)
    for _ in range(10):
        failed_at = now
        while not breaker.allows(now):
            now += 1
        waits.append(now - failed_at)
        breaker.failed(now)
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == WAITS.longest


def test_failures_that_were_under_way_together_count_once() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(0)
    assert breaker.allows(WAITS.first)


def test_a_trial_nobody_reports_on_does_not_block_the_next() -> None:
    breaker = Breaker()
    breaker.failed(0)
    assert breaker.allows(WAITS.first)
    assert breaker.allows(2 * WAITS.first)
