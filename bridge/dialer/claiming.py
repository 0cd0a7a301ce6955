"""Claiming: taking the due messages of one trunk from the store, to be called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from bridge.base.tasks import Supervisor
from bridge.dialer.rounds import Rounds
from bridge.dialer.traffic import Traffic
from bridge.store import Claim, Claims, Store
from bridge.telephony.exchange import Exchange, Trunks

_AHEAD = timedelta(seconds=0.2)
"""Turns are claimed no further ahead, so that little is claimed and not dialled yet."""
_AT_ONCE = 100
_LONGEST_REST_SECONDS = 1.0

_REFUSALS = 3
_REFUSALS_OF_UNREACHABLE = 1
"""A trunk that does not take so many legs in a row is spared."""


class Claiming:
    """Claims the due messages of one trunk, as soon as it has a turn and room for a call.

    Each is handed to ``begin``. While the trunk is down, its messages are dialled by the first of ``stand_ins`` that is
    not.
    """

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Sequence[Exchange],
        node: str,
        trunk: str,
        stand_ins: Sequence[str],
        watch: Trunks,
        traffic: Traffic,
        supervisor: Supervisor,
        begin: Callable[[Claim], None],
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._node = node
        self._trunk = trunk
        self._stand_ins = stand_ins
        self._watch = watch
        self._traffic = traffic
        self._begin = begin
        self._is_full = False
        self._was_limited = False
        self.rounds = Rounds(supervisor.part(f"claiming for {trunk}"), self._claim)

    def call_over(self) -> None:
        """Claim again if the trunk was full: a call of this node is over."""
        if self._is_full:
            self.rounds.wake()

    async def _claim(self) -> float:
        trunk = self._dialled_by()
        ready = [one for one in self._exchanges if one.takes_calls(trunk)]
        if not ready:
            return _LONGEST_REST_SECONDS
        limit = self._traffic.limit(trunk)
        claims = await self._store.calls.claim_due(
            node=self._node,
            asterisk=min(ready, key=lambda exchange: exchange.live_calls).name,
            of_trunk=self._trunk,
            limit_of=limit,
            clock=partial(datetime.now, UTC),
            ahead=_AHEAD,
            limit=_AT_ONCE,
        )
        for claim in claims.claims:
            self._begin(claim)
            self._traffic.claimed(trunk)
        if self._was_limited:
            self._traffic.held(limit.name, len(claims.claims))
        self._is_full = claims.is_full
        self._was_limited = claims.is_full or claims.next_turn is not None
        return _seconds_of_rest(claims)

    def _dialled_by(self) -> str:
        if not self._is_down(self._trunk):
            return self._trunk
        return next((trunk for trunk in self._stand_ins if not self._is_down(trunk)), self._trunk)

    def _is_down(self, trunk: str) -> bool:
        """Whether it has stopped answering OPTIONS requests, or has lately taken no calls."""
        refusals = _REFUSALS_OF_UNREACHABLE if self._watch.standing(trunk).is_silent else _REFUSALS
        return self._watch.is_down(trunk) or self._traffic.is_spared(trunk, refusals)


def _seconds_of_rest(claims: Claims) -> float:
    if len(claims.claims) == _AT_ONCE:
        return 0.0
    moments = [moment for moment in (claims.next_turn, claims.next_due) if moment]
    now = datetime.now(UTC)
    return min([(moment - now).total_seconds() for moment in moments] + [_LONGEST_REST_SECONDS])
