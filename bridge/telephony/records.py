"""Record of a call: what the journal of an exchange says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.telephony.events import Ended


@dataclass(frozen=True, slots=True)
class Record:
    """What the journal says of one channel. Times are UTC; ``rang`` is known only when ``ended`` is."""

    dialled_at: datetime
    answered_at: datetime | None = None
    ended: Ended | None = None
    rang: bool = False
