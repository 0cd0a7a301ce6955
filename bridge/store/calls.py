"""Calls: one attempt each, from the claim of its message to its outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.messages.attempt import Attempt, Leg
from bridge.messages.progress import State
from bridge.store import claims, legs, orphans, outcomes
from bridge.store.claims import Claim, Claims
from bridge.store.database import Database
from bridge.store.nodes import Nodes
from bridge.store.orphans import OpenAttempt
from bridge.store.trunks import TrunkLimit
from bridge.telephony.formats import Formats


class Calls:
    """The calls of all nodes. ``formats`` say how trunks are sent numbers, ``nodes`` which node names are ours."""

    def __init__(self, database: Database, nodes: Nodes, formats: Formats) -> None:
        self._database = database
        self._nodes = nodes
        self._formats = formats

    async def claim_due(
        self,
        *,
        node: str,
        asterisk: str,
        of_trunk: str,
        limit_of: TrunkLimit,
        clock: Callable[[], datetime],
        ahead: timedelta,
        limit: int,
    ) -> Claims:
        """Claim due messages of ``of_trunk``, each with a committed attempt on ``limit_of``, to start within ``ahead``.

        A node has its share of the trunk's turns; one that was superseded gets nothing. ``clock`` is the node's, in
        UTC, and decides what is due.
        """
        return await self._database.write(
            claims.claim_due,
            node=node,
            instance=self._nodes.instance_of(node),
            place=self._nodes.place,
            asterisk=asterisk,
            of_trunk=of_trunk,
            limit_of=limit_of,
            formats=self._formats,
            clock=clock,
            ahead=ahead,
            limit=limit,
        )

    async def next_leg(
        self, claim: Claim, leg: Leg, limit_of: TrunkLimit, clock: Callable[[], datetime]
    ) -> Claim | None:
        """Have an attempt go on over another trunk after ``leg``; None when it is over, or that trunk is full."""
        instance = self._nodes.instance_of(claim.attempt.node)
        return await self._database.write(
            legs.next_leg, claim, leg, limit_of, formats=self._formats, clock=clock, instance=instance
        )

    async def move(self, key: int, attempt_id: str, state: State, at: datetime) -> None:
        """Note how far a live call has come (ringing, in progress), and when."""
        await self._database.write_soon(outcomes.move, key, attempt_id, state, at)

    async def note_happened(self, attempt_id: str, happened: list[Any], ends_by: datetime) -> None:
        """Note all that the script of a live call was told so far (JSON values), and by when the call must be over."""
        await self._database.write_soon(outcomes.note_happened, attempt_id, happened, ends_by)

    # These change nothing, and return False, when the attempt has ended already or is gone.

    async def release(self, key: int, attempt_id: str) -> bool:
        """Give a claim back: nothing of its attempt has reached Asterisk."""
        return await self._database.write(outcomes.release, key, attempt_id, datetime.now(UTC))

    async def retry(self, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> bool:
        """Keep the outcome of an attempt; its message waits for another one."""
        return await self._database.write(outcomes.retry, key, attempt, due_at, status_id, now=datetime.now(UTC))

    async def finish(self, key: int, attempt: Attempt, *, status_id: int, error_id: int, done_at: datetime) -> bool:
        """Keep the outcome of the last attempt, the message's final status and its report."""
        return await self._database.write(
            outcomes.finish, key, attempt, status_id=status_id, error_id=error_id, done_at=done_at
        )

    # What nobody has settled yet

    async def is_ours(self, attempt: Attempt) -> bool:
        """Whether the node's name is still ours, and nobody has settled the attempt or given it back."""
        return await self._database.read(orphans.is_ours, attempt.id, self._nodes.instance_of(attempt.node))

    async def open_of(self, node: str) -> list[OpenAttempt]:
        """The attempts that a node began with this data folder and whose end it has not recorded."""
        return await self._database.read(orphans.open_of, node, self._nodes.place)

    async def all_open(self) -> list[OpenAttempt]:
        """The attempts whose end no node has recorded."""
        return await self._database.read(orphans.all_open)

    async def abandoned(self, node: str, now: datetime, limit: int) -> list[OpenAttempt]:
        """Open attempts of other nodes that are gone, whose calls are over by now: any node settles them.

        A node of the same name with another data folder is another one.
        """
        return await self._database.read(orphans.abandoned, node, self._nodes.place, now, limit)

    async def canceled(self, node: str) -> list[str]:
        """The ids of a node's open attempts whose bulk was canceled."""
        return await self._database.read(orphans.canceled, node)
