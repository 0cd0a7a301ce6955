"""What whoever carries a call has written down of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.telephony.events import Ended


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down of one channel. Times are UTC; ``rang`` is known only of one that has ended."""

    dialled_at: datetime
    answered_at: datetime | None = None
    ended: Ended | None = None
    rang: bool = False
