"""Delivery time windows: when calls may be made (``docs/reference/api.md``). All times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.messages.message import DeliveryTimeWindow, TimeOfDay

_SHORTEST_MINUTES = 60
_DAY = timedelta(days=1)


def delivery_time_window(days: frozenset[int], start: TimeOfDay | None, end: TimeOfDay | None) -> DeliveryTimeWindow:
    """A window; one that ends before it starts reaches into the following day.

    Raises ValueError, with a text for the application, when there is no day, when ``start`` or ``end`` is missing, or
    when the two are less than an hour apart.
    """
    if not days:
        raise ValueError("days must not be empty")
    if (start is None) != (end is None):
        raise ValueError("from and to must be given together")
    if start is not None and end is not None and _minutes_open(start, end) < _SHORTEST_MINUTES:
        raise ValueError("from and to must be at least one hour apart")
    return DeliveryTimeWindow(days, start, end)


def is_open(window: DeliveryTimeWindow | None, at: datetime) -> bool:
    """Whether calls may be made at that moment; the end itself is outside."""
    return next_opening(window, at) == at


def next_opening(window: DeliveryTimeWindow | None, at: datetime) -> datetime:
    """The first moment from ``at`` on when calls may be made: ``at`` itself when the window is open then."""
    if window is None:
        return at
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # Yesterday's window may still be open; a week on, the same day comes again.
    for days_on in range(-1, 8):
        day = midnight + days_on * _DAY
        if day.weekday() in window.days:
            opens, closes = _opening_of(window, day)
            if at < closes:
                return max(at, opens)
    raise AssertionError("a window with at least one day opens within a week")


def _opening_of(window: DeliveryTimeWindow, midnight: datetime) -> tuple[datetime, datetime]:
    if window.start is None or window.end is None:
        return midnight, midnight + _DAY
    opens = midnight + timedelta(hours=window.start.hour, minutes=window.start.minute)
    return opens, opens + timedelta(minutes=_minutes_open(window.start, window.end))


def _minutes_open(start: TimeOfDay, end: TimeOfDay) -> int:
    return ((end.hour - start.hour) * 60 + end.minute - start.minute) % (24 * 60)
