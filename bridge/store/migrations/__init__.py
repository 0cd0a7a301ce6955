"""Migrations: bringing a database to the schema of a version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bridge.store.engine import for_reading, make_file
from bridge.store.errors import DatabaseMissing, SchemaOld, SchemaUnknown, failed

WITHOUT_TABLES = "base"
_FOLDER = str(Path(__file__).parent)

# Any number does, as long as it is always the same.
_LOCK = 0x766F6963


def migrate(engine: Engine, revision: str | None = None) -> tuple[str, str]:
    """Bring the schema to a revision, by default that of this version, forth or back; ``base`` removes all tables.

    A file that is not there yet is made. Returns the revisions before and after. Raises SchemaUnknown and StoreFailed.
    """
    known = _known()
    wanted = revision or known[-1]
    if wanted not in known:
        raise SchemaUnknown(f"there is no schema {wanted}: there are {', '.join(known)}")
    make_file(engine)
    try:
        with engine.begin() as connection:
            _keep_other_nodes_out(connection)
            return _migrate(connection, wanted, known)
    except SQLAlchemyError as error:
        raise failed(error) from error


def refuse_other_schema(engine: Engine) -> None:
    """Make sure, without changing anything, that the schema is that of this version.

    Raises SchemaOld and SchemaUnknown, which say what to run, and StoreFailed.
    """
    try:
        with for_reading(engine).connect() as connection:
            refuse_old_schema(connection)
    except DatabaseMissing as error:
        raise SchemaOld(f"{error}: run `voicebridge migrate` first, which makes it") from error
    except SQLAlchemyError as error:
        raise failed(error) from error


def refuse_old_schema(connection: Connection) -> None:
    """Make sure that the schema is that of this version. Raises SchemaOld and SchemaUnknown."""
    revision, newest = revision_of(connection), _known()[-1]
    if revision == WITHOUT_TABLES:
        raise SchemaOld("the database has no tables yet: run `voicebridge migrate` first, which makes them")
    if revision != newest:
        raise SchemaOld(
            f"the database has the schema {revision} of an earlier version: run `voicebridge migrate`, which brings it"
            f" to {newest}, when that version runs nowhere any more"
        )


def revision_of(connection: Connection) -> str:
    """Which schema the database has, ``base`` without tables. Raises SchemaUnknown for one of a newer version."""
    revision = MigrationContext.configure(connection).get_current_revision() or WITHOUT_TABLES
    *_, newest = known = _known()
    if revision not in known:
        raise SchemaUnknown(
            f"the database has the schema {revision} of a newer version, and this one knows none after {newest}:"
            f" install the newer version, or let its `voicebridge migrate {newest}` take the database back"
        )
    return revision


def _migrate(connection: Connection, revision: str, known: list[str]) -> tuple[str, str]:
    before = revision_of(connection)
    if known.index(revision) > known.index(before):
        command.upgrade(_config(connection), revision)
    elif revision != before:
        command.downgrade(_config(connection), revision)
    return before, revision


def _known() -> list[str]:
    """All revisions, from that without tables to that of this version."""
    revisions = [script.revision for script in ScriptDirectory(_FOLDER).walk_revisions()]
    return [WITHOUT_TABLES, *reversed(revisions)]


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
