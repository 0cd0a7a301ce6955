"""``voicebridge migrate``: changes the schema of the database."""

from __future__ import annotations

import asyncio

from bridge.admin.unserved import refuse_while_served
from bridge.settings import Settings
from bridge.store.engine import open_engine
from bridge.store.migrations import migrate


def change_schema(settings: Settings, revision: str | None) -> tuple[str, str]:
    """Bring the database to a revision, by default that of this version; return the revisions before and after.

    No daemon may run on it. Raises CannotUseDataDir, DaemonRuns, SchemaUnknown and StoreFailed.
    """
    asyncio.run(refuse_while_served(settings))
    engine = open_engine(settings.store_url)
    try:
        return migrate(engine, revision)
    finally:
        engine.dispose()
