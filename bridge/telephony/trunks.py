"""State of a trunk: whether it answers OPTIONS, and whether Asterisk is registered there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Qualify = Literal["reachable", "unreachable", "unresolved", "unknown"]
RegistrationState = Literal["registered", "unregistered", "rejected"]


@dataclass(frozen=True, slots=True)
class TrunkStanding:
    """What is known of one trunk.

    ``qualify`` says whether it answers OPTIONS requests: ``unresolved`` when Asterisk finds no address to send them to,
    ``unknown`` without a link to Asterisk, or without an endpoint of that name. ``registration`` is ``rejected`` also
    when the registrar did not answer; None for a trunk that needs none, and as long as Asterisk has not told.
    """

    qualify: Qualify = "unknown"
    registration: RegistrationState | None = None

    @property
    def is_silent(self) -> bool:
        """Whether OPTIONS are not answered."""
        return self.qualify in ("unreachable", "unresolved")

    @property
    def usable(self) -> bool:
        """Whether calls can go out over it. OPTIONS do not count: some trunks answer calls only."""
        return self.registration in ("registered", None)
