"""Failover: when the next trunk to a number is tried, so that the callee's telephone does not ring twice."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.messages.attempt import Attempt, Leg
from bridge.messages.routes import Routes
from bridge.telephony.events import Ended

FAILOVER_SECONDS = 8.0
"""A trunk on which nothing has rung for so long counts as not taking the call."""

_REFUSALS = range(400, 600)
_ABOUT_THE_CALLEE = frozenset((404, 410, 433, 480, 484, 485, 486, 487))
"""Final SIP statuses (RFC 3261, 21; RFC 5079 for 433) that speak of the telephone or its number, as every 6xx does.

All other 4xx and 5xx speak of the trunk, or of our account there. A 3xx says where else the callee is, and is not
followed.
"""

_CAUSES = frozenset((3, 27, 34, 38, 41, 42, 44, 47))
"""Causes (ITU-T Q.850) that speak of the trunk, where no SIP status came: no route, out of order, no circuit,
congestion."""


def was_refused(ended: Ended, *, rang: bool, gave_up: bool) -> bool:
    """Whether the trunk did not take the call, as far as is known; ``gave_up`` says that we stopped waiting for it."""
    if rang or ended.lost:
        return False
    if gave_up or ended.timed_out:
        return True
    if ended.sip_status is not None:
        return ended.sip_status in _REFUSALS and ended.sip_status not in _ABOUT_THE_CALLEE
    return ended.by == "callee" and ended.cause in _CAUSES


def leg_of(attempt: Attempt, ended: Ended) -> Leg:
    """The leg that has just ended."""
    return Leg(
        attempt.trunk,
        attempt.dialled_at,
        ended.at,
        ended.cause,
        ended.sip_status,
        ended.dialled,
        ended.unsent,
        attempt.sent_to,
        attempt.sent_from,
    )


def ended_of(leg: Leg) -> Ended:
    """How a leg ended."""
    return Ended(leg.ended_at, leg.cause, leg.sip_status, timed_out=False, by="callee", unsent=leg.unsent)


def trunks_left(routes: Routes, attempt: Attempt) -> Iterator[str]:
    """The trunks to the number that this attempt has not tried, the preferred one first."""
    tried = {attempt.trunk, *(leg.trunk for leg in attempt.refused)}
    return (trunk for trunk in routes.trunks(attempt.to) if trunk not in tried)
