"""Refusing what may be done to a database only while no daemon serves it."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from sqlalchemy import Connection, inspect

from bridge.base.data_folder import occupy
from bridge.base.errors import VoicebridgeError
from bridge.dialer.lease import LEASE
from bridge.settings import Settings
from bridge.store.database import Database
from bridge.store.errors import DatabaseMissing
from bridge.store.nodes import leases
from bridge.store.tables import nodes


class DaemonRuns(VoicebridgeError):
    """A daemon serves the database that is to be changed under it."""

    id = "DAEMON_RUNS"


async def refuse_while_served(settings: Settings) -> None:
    """Occupy the data folder until this process ends, and make sure that no daemon anywhere serves the database.

    It takes up to 15 s: a daemon that runs renews its lease within that time. Nothing is changed, whatever schema the
    database has. Raises CannotUseDataDir, DaemonRuns and StoreFailed.
    """
    occupy(settings.data_dir)
    database = Database(settings.store_url)
    try:
        await _refuse_while_leased(database)
    except DatabaseMissing:
        return  # nor is there a daemon that serves it
    finally:
        await database.close()


async def _refuse_while_leased(database: Database) -> None:
    before = await database.read(_leases)
    if not before:
        return
    seconds = int(LEASE.total_seconds())
    print(f"in {seconds} s it is known whether a daemon runs", file=sys.stderr)
    for _ in range(seconds):
        await asyncio.sleep(1)
        for node, until in (await database.read(_leases)).items():
            if node not in before or until > before[node]:
                raise DaemonRuns(f"stop the daemon of {node} first: it serves this database")


def _leases(connection: Connection) -> dict[str, datetime]:
    return leases(connection) if inspect(connection).has_table(nodes.name) else {}
