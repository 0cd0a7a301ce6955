"""Traffic on each trunk: live calls, its pace, and how many calls were held back or refused."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bridge.dialer.throttle import Throttle
from bridge.store import TrunkLimit
from bridge.telephony.events import Ended
from bridge.telephony.failover import was_refused

_LATE_CALLS_FASTER = 1.04
"""Calls that missed their turns follow each other so much faster than their trunk's pace."""

_SPARED_SECONDS = 30.0

_NO_ROOM = 503
_NO_ROOM_CAUSES = (34, 42)
"""ITU-T Q.850: no circuit available, switching equipment congestion."""


@dataclass(frozen=True, slots=True)
class TrunkTraffic:
    """One trunk as this node sees it now; the counters begin with the process.

    ``held_by_own_limit`` counts calls that were due and had to wait for a turn, or for another call's end;
    ``refused_by_carrier`` counts legs that the trunk was asked to take and did not. One is never counted as the other.
    """

    calls: int
    calls_per_second: float
    held_by_own_limit: int
    refused_by_carrier: int


class Traffic:
    """Is told of every leg by those who dial, and tells those who decide when to dial the next one.

    A call that outlived its trunk's settings may be told of as well; nothing follows from it.
    """

    def __init__(self, trunks: Iterable[TrunkLimit], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limits = {trunk.name: trunk for trunk in trunks}
        self._throttles = {trunk.name: Throttle(trunk.calls_per_second) for trunk in self._limits.values()}
        self._next_turns = dict.fromkeys(self._limits, float("-inf"))
        self._calls: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._refused_in_a_row: Counter[str] = Counter()
        self._spared_until = dict.fromkeys(self._limits, float("-inf"))

    def limit(self, trunk: str) -> TrunkLimit:
        """The trunk's limits; its pace is lower than configured while it cannot keep up."""
        limit = self._limits[trunk]
        rate = self._throttles[trunk].rate(self._clock())
        return limit if rate == limit.calls_per_second else replace(limit, calls_per_second=rate)

    async def turn(self, trunk: str, starts_at: datetime) -> None:
        """Wait for a call's turn; calls that are late, for instance since their speech was, still come one by one."""
        wait = (starts_at - datetime.now(UTC)).total_seconds()
        if wait > 0:
            await asyncio.sleep(wait)
        now = self._clock()
        turn = max(now, self._next_turns[trunk])
        self._next_turns[trunk] = turn + 1 / (self.limit(trunk).calls_per_second * _LATE_CALLS_FASTER)
        if turn > now:
            await asyncio.sleep(turn - now)

    def standing(self) -> Mapping[str, TrunkTraffic]:
        """Every trunk as it is now."""
        now = self._clock()
        return {
            name: TrunkTraffic(self._calls[name], throttle.rate(now), self._held[name], self._refused[name])
            for name, throttle in self._throttles.items()
        }

    def is_spared(self, trunk: str, refusals: int) -> bool:
        """Whether to give it no calls: it took none of so many latest legs, and was tried in the last 30 seconds."""
        return self._refused_in_a_row[trunk] >= refusals and self._clock() < self._spared_until[trunk]

    def claimed(self, trunk: str) -> None:
        """Note that a call is on its way to the trunk, to find out whether it takes calls; meanwhile it is spared."""
        self._spare(trunk)

    def held(self, trunk: str, calls: int) -> None:
        """Note that so many calls begin that our own limit has kept waiting."""
        self._held[trunk] += calls

    def began(self, trunk: str, originate_seconds: float | None = None) -> None:
        """Note that a leg is under way, after ``originate_seconds`` until Asterisk took it (None: it was adopted)."""
        self._calls[trunk] += 1
        if originate_seconds is not None:
            self._throttles[trunk].began(originate_seconds, self._clock())

    def rejected(self, trunk: str) -> None:
        """Note that the last Asterisk of the node that took calls for the trunk has begun none."""
        if trunk in self._throttles:
            self._throttles[trunk].rejected(self._clock())

    def taken(self, trunk: str) -> None:
        """Note that the trunk has done its part for a leg: the telephone rings, or is known not to."""
        self._refused_in_a_row[trunk] = 0

    def ended(self, trunk: str, ended: Ended, *, rang: bool, gave_up: bool) -> None:
        """Note that a leg is over for which `began` was called.

        ``rang`` when the telephone rang or was answered, ``gave_up`` when we stopped waiting for the trunk.
        """
        self._calls[trunk] -= 1
        status = ended.sip_status
        if was_refused(ended, rang=rang, gave_up=gave_up):
            if ended.dialled and not ended.unsent:
                self._refused[trunk] += 1
            self._refused_in_a_row[trunk] += 1
            self._spare(trunk)
        elif status is not None and not rang:
            self.taken(trunk)
        no_room = status == _NO_ROOM or (status is None and ended.cause in _NO_ROOM_CAUSES)
        if no_room and not rang and trunk in self._throttles:
            self._throttles[trunk].refused(self._clock())

    def _spare(self, trunk: str) -> None:
        """Have it spared for 30 s from now on, if it takes no calls."""
        self._spared_until[trunk] = self._clock() + _SPARED_SECONDS
