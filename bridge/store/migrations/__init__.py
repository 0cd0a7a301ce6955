"""Bringing a database to the schema of a version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bridge.store.errors import SchemaUnknown, failed

_WITHOUT_TABLES = "base"
_FOLDER = str(Path(__file__).parent)

# Any number does, as long as it is always the same.
_LOCK = 0x766F6963


def migrate(engine: Engine, revision: str | None = None) -> tuple[str, str]:
    """Bring the schema to a revision, by default that of this version, forth or back; ``base`` removes all tables.

    Returns from which revision to which. Raises SchemaUnknown and StoreFailed.
    """
    try:
        with engine.begin() as connection:
            _keep_other_nodes_out(connection)
            return _migrate(connection, revision or _known()[-1])
    except SQLAlchemyError as error:
        raise failed(error) from error


def revision_of(connection: Connection) -> str:
    """Which schema the database has, ``base`` without tables. Raises SchemaUnknown for one of a newer version."""
    revision = MigrationContext.configure(connection).get_current_revision() or _WITHOUT_TABLES
    *_, newest = known = _known()
    if revision not in known:
        raise SchemaUnknown(
            f"the database has the schema {revision} of a newer version, and this one knows none after {newest}:"
            f" install the newer version, or let its `voicebridge migrate {newest}` take the database back"
        )
    return revision


def _migrate(connection: Connection, revision: str) -> tuple[str, str]:
    known = _known()
    if revision not in known:
        raise SchemaUnknown(f"there is no schema {revision}: there are {', '.join(known)}")
    before = revision_of(connection)
    if known.index(revision) > known.index(before):
        command.upgrade(_config(connection), revision)
    elif revision != before:
        command.downgrade(_config(connection), revision)
    return before, revision


def _known() -> list[str]:
    """All revisions, from that without tables to that of this version."""
    revisions = [script.revision for script in ScriptDirectory(_FOLDER).walk_revisions()]
    return [_WITHOUT_TABLES, *reversed(revisions)]


def _keep_other_nodes_out(connection: Connection) -> None:
    """Of several nodes that start at once one migrates; the others wait, however long it takes."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", _FOLDER.replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
