"""The store as the other rooms see it: one transaction a method, run off the event loop."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.messages.attempt import Attempt
from bridge.messages.message import Bulk
from bridge.messages.progress import Progress, Report, State
from bridge.store import intake, lookups, work
from bridge.store.database import Database
from bridge.store.migrations import migrate
from bridge.store.work import Claim


class Store:
    """Messages, attempts and reports in one database.

    ``url`` is a SQLAlchemy URL, ``sqlite:////var/lib/voicebridge/voicebridge.db``. Opening it brings the schema up to
    date. Every method raises StoreFailed when the database cannot do it; what a method changed is committed when it
    returns.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        migrate(self._database.engine)

    async def close(self) -> None:
        await self._database.close()

    # Intake

    async def accept(self, bulk: Bulk) -> None:
        """Keep a bulk, to be called. Raises DuplicateId; then nothing of it is kept."""
        await self._database.write(intake.accept, bulk)

    # The front desk

    async def progress(self, account: str, message_id: str) -> Progress | None:
        """One message as it stands now."""
        return await self._database.read(lookups.progress, account, message_id)

    async def bulk_counts(self, account: str, bulk_id: str) -> dict[State, int] | None:
        """How many messages of a bulk are in each state; None for an unknown bulk."""
        return await self._database.read(lookups.bulk_counts, account, bulk_id)

    async def attempts(self, account: str, message_id: str) -> list[Attempt]:
        """The attempts of a message, the first one first."""
        return await self._database.read(lookups.attempts_of, account, message_id)

    async def take_reports(
        self, account: str, *, bulk_id: str | None = None, message_id: str | None = None, limit: int = 50
    ) -> list[Report]:
        """Reports that were not handed out yet, the oldest first. Each is handed out once."""
        return await self._database.write(
            lookups.take_reports,
            account,
            bulk_id=bulk_id,
            message_id=message_id,
            limit=limit,
            now=datetime.now(UTC),
        )

    # The dialer

    async def claim_due(self, *, node: str, trunk: str, now: datetime, limit: int) -> list[Claim]:
        """Messages to call now, each with an attempt that is committed."""
        return await self._database.write(work.claim_due, node=node, trunk=trunk, now=now, limit=limit)

    async def next_due(self) -> datetime | None:
        """When the next waiting message is due or expires."""
        return await self._database.read(work.next_due)

    async def move(self, key: int, state: State) -> None:
        """Note how far a live call has come."""
        await self._database.write(work.move, key, state)

    async def release(self, key: int, attempt_id: str) -> None:
        """Give a claim back: nothing of its attempt has reached Asterisk."""
        await self._database.write(work.release, key, attempt_id)

    async def call_again(self, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> None:
        """Keep the outcome of an attempt; its message waits for another one."""
        await self._database.write(work.call_again, key, attempt, due_at, status_id)

    async def finish(self, key: int, attempt: Attempt, *, status_id: int, error_id: int, done_at: datetime) -> None:
        """Keep the outcome of the last attempt, the message's final status and its report."""
        await self._database.write(work.finish, key, attempt, status_id=status_id, error_id=error_id, done_at=done_at)

    async def expire(self, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
        """End waiting messages whose validity is over; return how many."""
        return await self._database.write(work.expire, now=now, status_id=status_id, error_id=error_id, limit=limit)

    async def open_attempts(self, node: str) -> list[tuple[int, Attempt]]:
        """The attempts of a node whose end it has not recorded, with their messages' keys."""
        return await self._database.read(work.open_attempts, node)
