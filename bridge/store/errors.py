"""Errors of the database."""

from __future__ import annotations

import sqlite3
from typing import ClassVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from bridge.base.errors import WRONG_SETTINGS, VoicebridgeError


class StoreFailed(VoicebridgeError):
    """The database could not do what was asked: it is away, full, locked or damaged. Nothing was changed."""

    id: ClassVar[str] = "STORE_FAILED"


class CommitUnknown(StoreFailed):
    """The database went away while it committed: all of what was asked was done, or nothing of it."""

    id: ClassVar[str] = "STORE_COMMIT_UNKNOWN"


class DatabaseMissing(StoreFailed):
    """There is no such file; only a change of the schema makes it."""


class SchemaOld(VoicebridgeError):
    """The database has the schema of an earlier version, or none yet, and only a daemon or an operator changes it."""

    id: ClassVar[str] = "SCHEMA_OLD"
    exit_status: ClassVar[int] = WRONG_SETTINGS


class SchemaUnknown(VoicebridgeError):
    """The database has the schema of a newer version, or is to have one that there is not. Nothing was changed."""

    id: ClassVar[str] = "SCHEMA_UNKNOWN"
    exit_status: ClassVar[int] = WRONG_SETTINGS


def failed(error: SQLAlchemyError) -> StoreFailed:
    """A driver's error as StoreFailed."""
    return StoreFailed(f"the database refused: {_said_of(getattr(error, 'orig', None) or error)}")


def _said_of(cause: BaseException) -> str:
    """What may be said of a driver's error: its text if that is about the database, since others repeat the data."""
    if isinstance(cause, (sqlite3.Error, psycopg.OperationalError, psycopg.InternalError, psycopg.ProgrammingError)):
        return str(cause).strip()
    return f"{type(cause).__name__} {getattr(cause, 'sqlstate', None) or ''}".strip()
