"""What a call asks of whoever keeps the pace of the trunks, and tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bridge.store import TrunkLimit
from bridge.telephony.events import Ended


class Pace(Protocol):
    """Gives turns, and hears of every leg how its trunk took it."""

    async def turn(self, trunk: str, starts_at: datetime) -> None:
        """Wait for a call's turn."""

    def limit(self, trunk: str) -> TrunkLimit:
        """The trunk's limits now."""

    def began(self, trunk: str, originate_seconds: float | None = None) -> None:
        """A leg is under way; Asterisk took so long to answer its Originate (None: the leg was adopted)."""

    def rejected(self, trunk: str) -> None:
        """The last Asterisk of the node that took its calls has begun none."""

    def taken(self, trunk: str) -> None:
        """The trunk has done its part for a leg: the telephone rings, or is known not to."""

    def ended(self, trunk: str, ended: Ended, *, rang: bool, gave_up: bool) -> None:
        """A leg that was told to have begun is over; ``gave_up`` when we stopped waiting for the trunk."""
