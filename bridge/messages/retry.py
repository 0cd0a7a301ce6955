"""Retry: when a message whose attempt failed is called again (``docs/reference/api.md``)."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

from bridge.messages.message import Retry

LADDER = (1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 960, 1440)
"""The allowed periods, in minutes."""

MOST_RETRIES = 4


def round_to_ladder(minutes: int) -> int:
    """The period itself when the ladder has it, else the next longer one; at most 24 hours."""
    return LADDER[min(bisect_left(LADDER, minutes), len(LADDER) - 1)]


def retry_policy(*, min_period: int, max_period: int, max_count: int) -> Retry:
    """A policy with its periods (minutes) rounded to the ladder and its count capped at 4.

    Raises ValueError, with a text for the application, when ``min_period`` is longer than ``max_period``.
    """
    if min_period > max_period:
        raise ValueError("minPeriod must not be greater than maxPeriod")
    return Retry(
        min_period=round_to_ladder(min_period),
        max_period=round_to_ladder(max_period),
        max_count=min(max_count, MOST_RETRIES),
    )


def next_attempt(policy: Retry | None, attempts_made: int, now: datetime) -> datetime | None:
    """When to call again after a failed attempt that ended ``now``; None when the policy allows no more attempts.

    The waits go up the ladder from the shortest period to the longest and stay there. The message's validity and time
    window are not looked at here.
    """
    if policy is None or attempts_made > policy.max_count:
        return None
    step = LADDER.index(policy.min_period) + attempts_made - 1
    longest = LADDER.index(policy.max_period)
    return now + timedelta(minutes=LADDER[min(step, longest)])
