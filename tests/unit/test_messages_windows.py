"""Delivery time windows, with the time as an argument. 23 November 2026 is a Monday."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.message import DeliveryTimeWindow, TimeOfDay
from bridge.messages.windows import delivery_time_window, is_open, next_opening

MONDAY, SUNDAY = 0, 6


def monday(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


def office_hours(*days: int) -> DeliveryTimeWindow:
    return delivery_time_window(frozenset(days), TimeOfDay(9, 0), TimeOfDay(17, 0))


def test_without_a_window_every_moment_will_do() -> None:
    assert next_opening(None, monday(3)) == monday(3)


def test_a_window_is_open_from_its_start_to_just_before_its_end() -> None:
    window = office_hours(MONDAY)
    assert not is_open(window, monday(8, 59))
    assert is_open(window, monday(9))
    assert is_open(window, monday(17) - timedelta(microseconds=1))
    assert not is_open(window, monday(17))


def test_a_closed_window_opens_the_same_day_or_a_week_later() -> None:
    window = office_hours(MONDAY)
    assert next_opening(window, monday(3)) == monday(9)
    assert next_opening(window, monday(18)) == monday(9) + timedelta(days=7)


def test_days_without_times_count_whole() -> None:
    window = delivery_time_window(frozenset({SUNDAY}), None, None)
    assert next_opening(window, monday(12)) == monday(0) + timedelta(days=6)
    assert is_open(window, monday(0) - timedelta(seconds=1))


def test_a_window_over_midnight_belongs_to_the_day_it_opens() -> None:
    window = delivery_time_window(frozenset({SUNDAY}), TimeOfDay(22, 0), TimeOfDay(6, 0))
    assert is_open(window, monday(5, 59))
    assert not is_open(window, monday(6))
    assert next_opening(window, monday(23)) == monday(22) + timedelta(days=6)


def test_days_are_counted_in_utc() -> None:
    zagreb = timezone(timedelta(hours=1))
    assert is_open(
        delivery_time_window(frozenset({SUNDAY}), None, None), monday(0).astimezone(zagreb) - timedelta(minutes=30)
    )


@pytest.mark.parametrize(
    ("days", "start", "end"),
    [
        ([], None, None),
        ([MONDAY], TimeOfDay(9, 0), None),
        ([MONDAY], None, TimeOfDay(9, 0)),
        ([MONDAY], TimeOfDay(9, 0), TimeOfDay(9, 59)),
        ([MONDAY], TimeOfDay(9, 0), TimeOfDay(9, 0)),
    ],
)
def test_what_is_no_window_is_refused(days: list[int], start: TimeOfDay | None, end: TimeOfDay | None) -> None:
    with pytest.raises(ValueError, match="must"):
        delivery_time_window(frozenset(days), start, end)


times = st.builds(TimeOfDay, st.integers(0, 23), st.integers(0, 59))
moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def windows(draw: st.DrawFn) -> DeliveryTimeWindow:
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    start = draw(times)
    minutes_open = draw(st.integers(60, 24 * 60 - 1))
    end = (start.hour * 60 + start.minute + minutes_open) % (24 * 60)
    return delivery_time_window(days, start, TimeOfDay(*divmod(end, 60)))


@given(windows(), moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(window: DeliveryTimeWindow, at: datetime) -> None:
    opening = next_opening(window, at)
    assert at <= opening <= at + timedelta(days=7)
    assert is_open(window, opening)
    if opening > at:
        assert not is_open(window, at)
        assert not is_open(window, at + (opening - at) / 2)
        assert not is_open(window, opening - timedelta(microseconds=1))
