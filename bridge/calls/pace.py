"""The pace of the trunks, as calls see it: they wait for their turns, and tell how each leg went."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bridge.store import TrunkLimit
from bridge.telephony.events import Ended


class Pace(Protocol):
    """Gives calls their turns, and is told how the trunk took each leg."""

    async def turn(self, trunk: str, starts_at: datetime) -> None:
        """Wait for a call's turn."""

    def limit(self, trunk: str) -> TrunkLimit:
        """The trunk's limits now."""

    def began(self, trunk: str, originate_seconds: float | None = None) -> None:
        """Note that a leg is under way, after ``originate_seconds`` until Asterisk took it (None: it was adopted)."""

    def rejected(self, trunk: str) -> None:
        """Note that the last Asterisk of the node that took calls for the trunk has begun none."""

    def taken(self, trunk: str) -> None:
        """Note that the trunk has done its part for a leg: the telephone rings, or is known not to."""

    def ended(self, trunk: str, ended: Ended, *, rang: bool, gave_up: bool) -> None:
        """Note that a leg is over for which `began` was called; ``gave_up`` when we stopped waiting for the trunk."""
