"""A database as ``voicebridge migrate`` leaves it."""

from __future__ import annotations

from bridge.store.engine import open_engine
from bridge.store.migrations import migrate


def make_schema(database_url: str) -> None:
    """Give a new database the tables of this version."""
    engine = open_engine(database_url)
    migrate(engine)
    engine.dispose()
