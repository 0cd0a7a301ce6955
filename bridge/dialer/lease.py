"""Lease: this node's hold on its name in the store, by which other nodes see that it lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from bridge.base.tasks import Supervisor
from bridge.dialer.rounds import Rounds
from bridge.store import Nodes, StoreFailed

_log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=15)
_RENEW_EVERY_SECONDS = 5.0


class Lease:
    """Holds the node's name from ``take`` to ``leave``.

    ``on_superseded`` is called when another process has taken it.
    """

    def __init__(
        self,
        nodes: Nodes,
        *,
        node: str,
        instance: str,
        supervisor: Supervisor,
        on_superseded: Callable[[], None],
    ) -> None:
        self._nodes = nodes
        self._node = node
        self._instance = instance
        self._on_superseded = on_superseded
        self._renewing = Rounds(supervisor.part("lease"), self._renew)

    async def take(self) -> None:
        """Take the node's name; the process that had it before is superseded. Raises StoreFailed and NodeNameTaken."""
        now = datetime.now(UTC)
        await self._nodes.take(self._node, self._instance, now, now + LEASE)
        self._renewing.start()

    async def leave(self) -> None:
        """Say that the node has stopped, so that others need not wait for its lease to end."""
        await self._renewing.stop()
        try:
            await self._nodes.leave(self._node, self._instance)
        except StoreFailed as error:
            _log.warning("node_not_left", node=self._node, reason=error)

    async def _renew(self) -> float:
        if not await self._nodes.renew(self._node, self._instance, datetime.now(UTC) + LEASE):
            _log.error("superseded", node=self._node)
            self._renewing.stop_soon()
            self._on_superseded()
        return _RENEW_EVERY_SECONDS
