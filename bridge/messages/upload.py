"""An audio file that an application left, to be played in its scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT_UNUSED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Upload:
    """``format`` is ``wav`` or ``mp3``, ``size`` bytes; ``used_at`` is when a script last named it, or when it came."""

    id: str
    name: str
    format: str
    size: int
    seconds: float
    created_at: datetime
    used_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it is dropped, unless it is used before."""
        return self.used_at + KEPT_UNUSED
