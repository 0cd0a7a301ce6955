"""Hearing from PostgreSQL what other nodes announced (``LISTEN`` and ``NOTIFY``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import psycopg
from sqlalchemy import Connection, Engine, bindparam, func, select

from bridge.base.backoff import Backoff
from bridge.store.persistence import STORE_AWAY
from bridge.store.wakeups import Topic

_CHANNEL = "voicebridge"

_NOTIFY = select(func.pg_notify(_CHANNEL, bindparam("payload")))


def notify(connection: Connection, teller: str, topics: Iterable[Topic]) -> None:
    """Tell all who listen, once the transaction is committed."""
    for topic in topics:
        connection.execute(_NOTIFY, {"payload": f"{topic} {teller}"})


async def listen(engine: Engine, listener: str, wake: Callable[[Iterable[Topic]], None]) -> None:
    """Call ``wake`` for what others than the ``listener`` itself announce, until cancelled.

    What is announced while the connection is lost is not heard, so everybody is woken after each new connection.
    """
    where, how = engine.dialect.create_connect_args(engine.url)
    backoff = Backoff(STORE_AWAY)
    while True:
        with suppress(psycopg.Error):
            async with await psycopg.AsyncConnection.connect(*where, **how, autocommit=True) as connection:
                await connection.execute(f"LISTEN {_CHANNEL}")
                backoff.reset()
                wake(Topic)
                async for heard in connection.notifies():
                    topic, _, teller = heard.payload.partition(" ")
                    if teller != listener:
                        wake([known for known in Topic if known == topic])
        await asyncio.sleep(backoff.failed())
