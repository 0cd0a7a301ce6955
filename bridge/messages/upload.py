"""Uploads: audio files that an application keeps here, to be played in its scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT_UNUSED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded audio file.

    ``format`` is ``wav`` or ``mp3``, ``size`` is bytes; ``used_at`` is when a script last named it, else when it came.
    """

    id: str
    name: str
    format: str
    size: int
    seconds: float
    created_at: datetime
    used_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it is deleted, unless it is used before."""
        return self.used_at + KEPT_UNUSED
