"""When to call: takes what is due, keeps to the trunk's limits, and sees every attempt to its end."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import structlog

from bridge.asterisk import AmiLink
from bridge.dialer.attempt import AttemptRunner
from bridge.dialer.pace import Pace
from bridge.messages.statuses import EXPIRED_EXPIRED, REQUEST_TIMEOUT
from bridge.store import Claim, Store, StoreFailed

_log = structlog.get_logger(__name__)

_CLAIM_AHEAD_SECONDS = 0.1
_HANG_UP_SECONDS = 5.0
_EXPIRE_EVERY_SECONDS = 1.0
_EXPIRE_AT_ONCE = 1000
_SHORTEST_REST_SECONDS = 0.005
_LONGEST_REST_SECONDS = 1.0


class Dialer:
    """Turns waiting messages into calls on one trunk.

    At most ``max_calls`` calls are under way, and calls start at most ``calls_per_second`` times a second. ``wake``
    says that there may be something to do; otherwise the dialer looks when the next message is due.
    """

    def __init__(
        self,
        *,
        store: Store,
        link: AmiLink,
        runner: AttemptRunner,
        node: str,
        trunk: str,
        max_calls: int,
        calls_per_second: float,
    ) -> None:
        self._store = store
        self._link = link
        self._runner = runner
        self._node = node
        self._trunk = trunk
        self._max_calls = max_calls
        self._pace = Pace(calls_per_second)
        self._calls: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._expired_at = float("-inf")

    def wake(self) -> None:
        """Look for due messages now."""
        self._awake.set()

    @property
    def live_calls(self) -> int:
        return len(self._calls)

    async def run(self) -> None:
        """Call what is due until cancelled; calls under way go on."""
        while True:
            self._awake.clear()
            try:
                await self._expire()
                rest = await self._start_due()
            except StoreFailed as error:
                _log.error("store_failed", error=str(error))
                rest = _LONGEST_REST_SECONDS
            await self._sleep(rest)

    async def drain(self, seconds: float) -> None:
        """Wait for the calls under way, and hang up those that outlast the time."""
        if self._calls:
            _log.info("draining", calls=len(self._calls), seconds=seconds)
            _, late = await asyncio.wait(self._calls, timeout=seconds)
            if late:
                await self._runner.hang_up_all()
                await asyncio.wait(late, timeout=_HANG_UP_SECONDS)

    async def _start_due(self) -> float:
        """Start what is due and may start; return how many seconds there is nothing more to do."""
        if not self._link.connected or len(self._calls) >= self._max_calls:
            return _LONGEST_REST_SECONDS
        now = time.monotonic()
        turns = self._pace.turns_within(_CLAIM_AHEAD_SECONDS, now)
        if turns == 0:
            return self._pace.wait(now)
        room = min(self._max_calls - len(self._calls), turns)
        claims = await self._store.claim_due(node=self._node, trunk=self._trunk, now=datetime.now(UTC), limit=room)
        for claim in claims:
            call = asyncio.create_task(self._call(claim, self._pace.reserve(time.monotonic())))
            self._calls.add(call)
            call.add_done_callback(self._ended)
        return 0.0 if len(claims) == room else await self._seconds_to_next_due()

    async def _seconds_to_next_due(self) -> float:
        due = await self._store.next_due()
        if due is None:
            return _LONGEST_REST_SECONDS
        return (due - datetime.now(UTC)).total_seconds()

    async def _call(self, claim: Claim, wait: float) -> None:
        if wait > 0:
            await asyncio.sleep(wait)
        await self._runner.run(claim)

    def _ended(self, call: asyncio.Task[None]) -> None:
        if len(self._calls) == self._max_calls:
            self._awake.set()
        self._calls.discard(call)

    async def _expire(self) -> None:
        now = time.monotonic()
        if now - self._expired_at >= _EXPIRE_EVERY_SECONDS:
            self._expired_at = now
            await self._store.expire(
                now=datetime.now(UTC),
                status_id=EXPIRED_EXPIRED,
                error_id=REQUEST_TIMEOUT,
                limit=_EXPIRE_AT_ONCE,
            )

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(min(max(seconds, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)):
                await self._awake.wait()
        except TimeoutError:
            return
