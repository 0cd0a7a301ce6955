"""The exchanges (Asterisks) of this node, as attempts use them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from bridge.calls.pace import Pace
from bridge.messages.attempt import Attempt
from bridge.store import Claim
from bridge.telephony.events import Origination
from bridge.telephony.exchange import Channel, Exchange

_log = structlog.get_logger(__name__)

NO_CHANNEL = (
    "Asterisk makes no channel: it is being stopped, has no endpoint of the trunk's name, "
    "or takes its AOR for unreachable (qualify_frequency, and no answer to OPTIONS)"
)


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Exchanges by their names. ``pace`` is told how they take calls."""

    by_name: Mapping[str, Exchange]
    pace: Pace

    async def place(self, exchange: str, origination: Origination) -> Channel:
        """Dial a leg. Raises LinkDown and Rejected when it was not dialled."""
        began = time.monotonic()
        channel = await self.by_name[exchange].place(origination)
        self.pace.began(origination.trunk, time.monotonic() - began)
        return channel

    def leave_alone(self, attempt: Attempt, reason: str) -> None:
        """Give the attempt's exchange no calls for a while over the trunks that it did not dial."""
        exchange = self.by_name[attempt.asterisk]
        for trunk in (attempt.trunk, *(leg.trunk for leg in attempt.refused)):
            if not exchange.is_left_alone(trunk):
                _log.error("asterisk_does_not_dial", asterisk=exchange.name, trunk=trunk, reason=reason)
            exchange.leave_alone(trunk)
            if not any(one.takes_calls(trunk) for one in self.by_name.values()):
                self.pace.rejected(trunk)


def origination_of(claim: Claim, record_to: Path | None) -> Origination:
    """What is asked of an exchange for the present leg of an attempt."""
    content = claim.message.content
    return Origination(
        channel_id=claim.attempt.channel_id,
        number=claim.attempt.sent_to or claim.message.to,
        trunk=claim.attempt.trunk,
        caller_id=claim.attempt.sent_from,
        ring_timeout=content.ring_timeout,
        call_timeout=content.call_timeout,
        record_to=None if record_to is None else str(record_to),
        logged_as={"message": claim.message.id, "attempt": claim.attempt.id},
    )
