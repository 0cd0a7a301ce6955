"""Opening a database: SQLite or PostgreSQL."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from bridge.store.errors import DatabaseMissing, StoreFailed

READERS = 2
"""How many threads read at the same time."""

# In seconds or milliseconds, as libpq and the server want them. A server or network that is gone is noticed within half
# a minute by either side, so that neither waits for ever and no lock outlives its node; what is waited for in vain
# (a lock, a disk) is given up after as long. (PostgreSQL: "libpq Connection Control", "Client Connection Defaults".)
_POSTGRESQL = {
    "application_name": "voicebridge",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "options": (
        "-c statement_timeout=30s -c idle_in_transaction_session_timeout=15s -c TimeZone=UTC"
        " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=25s"
    ),
}


def open_engine(url: str) -> Engine:
    """The engine of a database URL, ``sqlite:///file`` or ``postgresql://user:password@host/name``.

    For PostgreSQL every parameter of libpq may follow as a query. A file that is not there is not made: to connect then
    raises DatabaseMissing. Raises StoreFailed.
    """
    parsed = database_url(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def database_url(url: str) -> URL:
    """Read the URL of a database; nothing is opened. Raises StoreFailed, which quotes nothing of it."""
    try:
        parsed = make_url(url)
        if parsed.drivername == "sqlite" and parsed.database:
            return parsed
        if parsed.get_backend_name() == "postgresql":
            conninfo.make_conninfo(**dict.fromkeys(parsed.query, ""))
            return parsed
    except (ArgumentError, ValueError, psycopg.ProgrammingError):
        pass  # what they say may have the password in it
    raise StoreFailed(
        "its URL is neither sqlite:///FILE nor postgresql://USER:PASSWORD@HOST/DATABASE?parameters-of-libpq"
    )


def make_file(engine: Engine) -> None:
    """Make the file of a SQLite database, if it is not there yet. Raises StoreFailed.

    The database holds what people are told and what they answer: its owner alone may read it.
    """
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file:
        return
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise _not_opened(file, error) from error


def for_reading(engine: Engine) -> Engine:
    """The same database for reading: a transaction sees the state of one moment, and waits for no writer."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{_SQLITE_BEGIN: "BEGIN"})


def _postgresql(url: URL) -> Engine:
    defaults = {name: value for name, value in _POSTGRESQL.items() if name not in url.query}
    complete = url.set(drivername="postgresql+psycopg").update_query_dict(defaults)
    engine = create_engine(
        complete, hide_parameters=True, json_deserializer=_read_json, pool_size=READERS + 1, max_overflow=1
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, json_deserializer=_read_json)
    event.listen(engine, "do_connect", _refuse_missing_file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _read_json(text: str | bytes) -> Any:
    """A JSON value; None when it cannot be read: one such value must not keep the rows beside it from being read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_SQLITE_BEGIN = "sqlite_begin"


class _TextWithoutNul(StrDumperUnknown):
    """Writes NUL as U+FFFD, the replacement character: text of PostgreSQL cannot hold NUL."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _prepare_postgresql(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.adapters.register_dumper(str, _TextWithoutNul)


def _refuse_missing_file(_dialect: object, _record: object, arguments: Any, _named: object) -> None:
    """Raise DatabaseMissing: the driver would make the file, empty and open to all."""
    file = arguments[0]
    try:
        Path(file).stat()
    except FileNotFoundError:
        raise DatabaseMissing(f"there is no database {file}") from None
    except OSError as error:
        raise _not_opened(file, error) from error


def _not_opened(file: str, error: OSError) -> StoreFailed:
    return StoreFailed(f"the database {file} cannot be opened: {error.strerror}")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by hand below: the driver would begin them too late for a consistent read.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # Past SQLAlchemy's own machinery, which would cost more than the statement.
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        driver.execute(connection.get_execution_options().get(_SQLITE_BEGIN, "BEGIN IMMEDIATE"))
    except sqlite3.Error as error:
        raise StoreFailed(f"the database refused: {error}") from error
