"""Messages, from their request until they are removed."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from bridge.messages.attempt import Attempt
from bridge.messages.message import Bulk
from bridge.messages.progress import Progress
from bridge.messages.routes import Routes
from bridge.store import attempts, endings, intake, logs, retention, routing
from bridge.store.database import Database
from bridge.store.logs import LogFilter
from bridge.store.rows import progress_of, select_progress
from bridge.store.tables import messages


class Messages:
    """The messages of each account; ``routes`` say for which trunk each waits."""

    def __init__(self, database: Database, routes: Routes) -> None:
        self._database = database
        self._routes = routes

    async def accept(self, bulk: Bulk) -> None:
        """Keep a bulk, to be called. Raises DuplicateId; then nothing of it is kept."""
        await self._database.write(intake.accept, bulk, self._routes)

    async def launch(self, bulk: Bulk) -> None:
        """Keep a bulk of IVR messages as ``accept`` does, and note that their scenarios are in use."""
        await self._database.write(intake.launch, bulk, self._routes)

    async def progress(self, account: str, message_id: str) -> Progress | None:
        """One message as it stands now; None when the account has no such message."""
        return await self._database.read(_progress, account, message_id)

    async def attempts(self, account: str, message_id: str) -> list[Attempt]:
        """The attempts of a message, the first one first."""
        return await self._database.read(attempts.attempts_of, account, message_id)

    async def logs(self, account: str, wanted: LogFilter, limit: int) -> list[tuple[Progress, Attempt | None]]:
        """Messages that were sent, with their latest attempts, those sent last first."""
        return await self._database.read(logs.sent, account, wanted, limit)

    async def reroute(self) -> int:
        """Give waiting messages their trunks anew if the routes differ from those last used; return how many changed.

        Those that no trunk leads to any more are rejected.
        """
        moved = 0
        for first_key in await self._database.read(routing.keys_to_reroute, self._routes):
            moved += await self._database.write(routing.reroute, self._routes, first_key, datetime.now(UTC))
        await self._database.write(routing.keep, self._routes)
        return moved

    async def expire(self, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
        """End waiting messages whose validity is over; return how many."""
        return await self._database.write(endings.expire, now=now, status_id=status_id, error_id=error_id, limit=limit)

    async def end_all(self, *, status_id: int, error_id: int, now: datetime, limit: int) -> int:
        """End messages that are not done and have no open attempt, whatever they wait for; return how many."""
        return await self._database.write(endings.end_all, status_id=status_id, error_id=error_id, now=now, limit=limit)

    async def remove(self, *, done_before: datetime, limit: int) -> int:
        """Forget messages that ended before a moment, with all that belongs to them; return how many.

        Those with a recording that is not deleted stay. Returns 0 also while another node removes some.
        """
        return await self._database.write(retention.remove_messages, done_before, limit)


def _progress(connection: Connection, account: str, message_id: str) -> Progress | None:
    row = (
        connection.execute(select_progress().where(messages.c.account == account, messages.c.id == message_id))
        .mappings()
        .first()
    )
    return None if row is None else progress_of(row)
