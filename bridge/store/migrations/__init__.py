"""Bringing a database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

# Any number does, as long as it is always the same.
_LOCK = 0x766F6963


def migrate(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing up to ``revision``."""
    with engine.begin() as connection:
        _keep_other_nodes_out(connection)
        command.upgrade(_config(connection), revision)


def migrate_back(engine: Engine, revision: str) -> None:
    """Take back the migrations that came after ``revision``; ``base`` takes back all."""
    with engine.begin() as connection:
        _keep_other_nodes_out(connection)
        command.downgrade(_config(connection), revision)


def _keep_other_nodes_out(connection: Connection) -> None:
    """Of several nodes that start at once one migrates; the others wait, however long it takes."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
