"""Reports that wait to be pushed to their notifyUrl."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, insert, literal, select, update

from bridge.messages.progress import Report
from bridge.store.columns import Instant
from bridge.store.database import Database
from bridge.store.reports import reports_of
from bridge.store.tables import contents, messages, outbox, scenarios


@dataclass(frozen=True, slots=True)
class Push:
    """A report that this node now pushes; nobody else does before ``leased_until``.

    ``server`` is the one of its notifyUrl; ``tries`` is how many pushes have failed.
    """

    key: int
    account: str
    server: str
    tries: int
    leased_until: datetime
    report: Report


class Outbox:
    """The reports that wait to be pushed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, *, now: datetime, until: datetime, busy: Mapping[str, int], most_at_once: int, limit: int
    ) -> list[Push]:
        """Lease up to ``limit`` reports that are due, at most ``most_at_once`` for a server, its longest waiting first.

        ``busy`` is how many pushes each server has already: a slow one leaves the others their share.
        """
        return await self._database.write(
            _claim, now=now, until=until, busy=busy, most_at_once=most_at_once, limit=limit
        )

    async def delivered(self, push: Push, now: datetime) -> None:
        """Note that the receiver has it."""
        await self._database.write(_delivered, push, now)

    async def retry(self, push: Push, due_at: datetime, problem: str) -> None:
        """Note that it failed, and is tried again at ``due_at``."""
        await self._database.write(_retry, push, due_at, problem)

    async def give_up(self, push: Push, now: datetime, problem: str) -> None:
        """Note that it failed for the last time."""
        await self._database.write(_give_up, push, now, problem)


_ADD = insert(outbox).from_select(
    ["message_key", "server", "tries", "due_at"],
    select(
        messages.c.key,
        contents.c.notify_server,
        literal(0),
        bindparam("due", type_=Instant),
    )
    .join(contents, contents.c.key == messages.c.content_key)
    .where(messages.c.key == bindparam("message_key"), contents.c.notify_server.is_not(None)),
)
# One step along the index for each server, however many reports wait for it.
_NEXT_SERVER = select(func.min(outbox.c.server)).where(outbox.c.done_at.is_(None), outbox.c.server > bindparam("last"))
_DUE = (
    select(outbox.c.key)
    .where(outbox.c.done_at.is_(None), outbox.c.server == bindparam("at"), outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DELIVERED = update(outbox).where(outbox.c.key == bindparam("push_key")).values(done_at=bindparam("now"), problem=None)
# Only while the lease is its own: a push that lost it must not disturb the one that has it now.
_LEASED = (outbox.c.key == bindparam("push_key"), outbox.c.due_at == bindparam("lease"), outbox.c.done_at.is_(None))
_RETRY = (
    update(outbox)
    .where(*_LEASED)
    .values(due_at=bindparam("new_due_at"), tries=outbox.c.tries + 1, problem=bindparam("new_problem"))
)
_GIVE_UP = (
    update(outbox)
    .where(*_LEASED)
    .values(done_at=bindparam("now"), tries=outbox.c.tries + 1, problem=bindparam("new_problem"))
)


def is_used(connection: Connection) -> bool:
    """Whether any message or scenario that is kept says where its reports are to be pushed."""
    messages_are = exists().where(contents.c.notify_server.is_not(None))
    scenarios_are = exists().where(scenarios.c.notify_url.is_not(None))
    return bool(connection.scalar(select(messages_are | scenarios_are)))


def add(connection: Connection, message_keys: Sequence[int], due_at: datetime) -> None:
    """Queue the reports of messages to be pushed, of those that have a notifyUrl."""
    connection.execute(_ADD, [{"message_key": key, "due": due_at} for key in message_keys])


def _claim(
    connection: Connection,
    *,
    now: datetime,
    until: datetime,
    busy: Mapping[str, int],
    most_at_once: int,
    limit: int,
) -> list[Push]:
    keys: list[int] = []
    servers = _servers(connection)
    random.shuffle(servers)  # so that none is always the last when there are too many
    for server in servers:
        room = min(most_at_once - busy.get(server, 0), limit - len(keys))
        if room > 0:
            keys += connection.execute(_DUE, {"at": server, "now": now, "limit": room}).scalars()
    if not keys:
        return []
    connection.execute(update(outbox).where(outbox.c.key.in_(keys)).values(due_at=until))
    return _pushes(connection, keys)


def _servers(connection: Connection) -> list[str]:
    servers = []
    server = connection.execute(_NEXT_SERVER, {"last": ""}).scalar_one()
    while server is not None:
        servers.append(server)
        server = connection.execute(_NEXT_SERVER, {"last": server}).scalar_one()
    return servers


def _delivered(connection: Connection, push: Push, now: datetime) -> None:
    connection.execute(_DELIVERED, {"push_key": push.key, "now": now})


def _retry(connection: Connection, push: Push, due_at: datetime, problem: str) -> None:
    connection.execute(
        _RETRY, {"push_key": push.key, "lease": push.leased_until, "new_due_at": due_at, "new_problem": problem}
    )


def _give_up(connection: Connection, push: Push, now: datetime, problem: str) -> None:
    connection.execute(_GIVE_UP, {"push_key": push.key, "lease": push.leased_until, "now": now, "new_problem": problem})


def _pushes(connection: Connection, keys: list[int]) -> list[Push]:
    rows = connection.execute(
        select(outbox, messages.c.account)
        .join(messages, messages.c.key == outbox.c.message_key)
        .where(outbox.c.key.in_(keys))
        .order_by(outbox.c.key)
    )
    waiting = list(rows.mappings())
    reports = reports_of(connection, [row["message_key"] for row in waiting])
    return [
        Push(
            key=row["key"],
            account=row["account"],
            server=row["server"],
            tries=row["tries"],
            leased_until=row["due_at"],
            report=reports[row["message_key"]],
        )
        for row in waiting
    ]
