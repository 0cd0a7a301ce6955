"""Parsing of times as applications write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)


def parse_time(text: str) -> datetime:
    """A moment, in UTC: ``2016-07-07T17:00:00.000+01:00``, ``2023-08-10T07:36:42.005+0000``, ``2030-01-01T00:00:00Z``.

    Without an offset it is UTC. Raises ValueError, with a text for the caller, when it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a time such as 2030-01-01T09:00:00.000+0000")
    date, clock, fraction, offset = match.groups()
    microseconds = (fraction or "0").ljust(6, "0")[:6]
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}.{microseconds}{(offset or 'Z').upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a time that exists") from error
