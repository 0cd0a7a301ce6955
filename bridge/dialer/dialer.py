"""The dialer: claims what is due on every trunk, and has every attempt run to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from bridge.base.tasks import Background, Supervisor
from bridge.calls.runner import AttemptRunner
from bridge.dialer.claiming import Claiming
from bridge.dialer.lease import Lease
from bridge.dialer.rounds import Rounds
from bridge.dialer.stand_ins import stand_ins
from bridge.dialer.traffic import Traffic
from bridge.messages.routes import Routes
from bridge.messages.statuses import EXPIRED_EXPIRED, REQUEST_TIMEOUT
from bridge.store import Claim, Store, Topic, TrunkLimit
from bridge.telephony.exchange import Exchange, Trunks

_log = structlog.get_logger(__name__)

_HANG_UP_SECONDS = 5.0
_EXPIRE_EVERY_SECONDS = 1.0
_EXPIRE_AT_ONCE = 1000


class Dialer:
    """Turns waiting messages into calls, from ``start`` to ``drain``.

    ``instance`` tells this process from others that had the node's name before. ``on_superseded`` is called when
    another process has taken the name: nothing more is dialled then, and calls under way go on.
    """

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Sequence[Exchange],
        runner: AttemptRunner,
        node: str,
        instance: str,
        trunks: Sequence[TrunkLimit],
        routes: Routes,
        watch: Trunks,
        traffic: Traffic,
        supervisor: Supervisor,
        on_superseded: Callable[[], None],
    ) -> None:
        self._store = store
        self._runner = runner
        self._node = node
        self._on_superseded = on_superseded
        self._lease = Lease(
            store.nodes, node=node, instance=instance, supervisor=supervisor, on_superseded=self._superseded
        )
        self._claimings = [
            Claiming(
                store=store,
                exchanges=exchanges,
                node=node,
                trunk=trunk.name,
                stand_ins=stand_ins(routes, trunk.name),
                watch=watch,
                traffic=traffic,
                supervisor=supervisor,
                begin=self._call,
            )
            for trunk in trunks
        ]
        self._dialling = [
            *(claiming.rounds for claiming in self._claimings),
            Rounds(supervisor.part("expiry"), self._expire),
        ]
        self._canceling = Rounds(supervisor.part("cancellation"), self._cancel)
        self._calls = Background("attempt_not_settled", on_over=self._call_over)
        store.subscribe(Topic.DUE, self._wake)
        store.subscribe(Topic.CANCELED, self._canceling.wake)

    async def start(self) -> None:
        """Take the node's name, and begin to dial. Raises StoreFailed and NodeNameTaken."""
        await self._lease.take()
        for rounds in (*self._dialling, self._canceling):
            rounds.start()

    async def drain(self, seconds: float) -> None:
        """Take no new work, wait for the calls under way, hang up those that outlast ``seconds``, and stop.

        Work that a call does not wait for, such as a request of its script, has the same time, and 5 s more after the
        hangups. Messages that were claimed and are not dialled yet wait again, for another node or the next start.
        """
        self._stop_dialling()
        await asyncio.gather(*(rounds.stop() for rounds in self._dialling))
        if self._runner.under_way:
            _log.info("draining", calls=len(self._runner.under_way), seconds=seconds)
        if not await self._is_idle_within(seconds):
            await self._runner.hang_up_all()
            if not await self._is_idle_within(_HANG_UP_SECONDS):
                _log.warning("cut_off", calls=len(self._runner.under_way))
        await self._canceling.stop()
        await self._lease.leave()

    def _wake(self) -> None:
        for claiming in self._claimings:
            claiming.rounds.wake()

    def _call(self, claim: Claim) -> None:
        self._calls.begin(self._runner.run(claim))

    def _call_over(self) -> None:
        for claiming in self._claimings:
            claiming.call_over()

    async def _is_idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._calls.wait()
                await self._runner.wait_until_idle()
        except TimeoutError:
            return False
        return True

    async def _expire(self) -> float:
        expired = await self._store.messages.expire(
            now=datetime.now(UTC), status_id=EXPIRED_EXPIRED, error_id=REQUEST_TIMEOUT, limit=_EXPIRE_AT_ONCE
        )
        return 0.0 if expired == _EXPIRE_AT_ONCE else _EXPIRE_EVERY_SECONDS

    async def _cancel(self) -> None:
        await self._runner.cancel(await self._store.calls.canceled(self._node))

    def _superseded(self) -> None:
        self._stop_dialling()
        self._on_superseded()

    def _stop_dialling(self) -> None:
        for rounds in self._dialling:
            rounds.stop_soon()
        self._runner.dial_no_more()
