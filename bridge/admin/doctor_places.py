"""Checks of ``voicebridge doctor``: credentials, the public address, folders, the database, object storage.

Each returns what to print when all is well, and raises Trouble or Doubt otherwise.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import TypeVar

from sqlalchemy import Connection

from bridge.base.objects import Bucket, ObjectNotThere, Objects, ObjectStorageFailed
from bridge.settings import Settings
from bridge.store import outbox
from bridge.store.accounts import credentials_in_force
from bridge.store.database import Database
from bridge.store.engine import database_url
from bridge.store.errors import SchemaOld, SchemaUnknown, StoreFailed
from bridge.store.migrations import WITHOUT_TABLES, refuse_old_schema, revision_of

_T = TypeVar("_T")

LEAST_FREE_BYTES = 500_000_000
MOST_CLOCKS_DIFFER = timedelta(seconds=1)


class Trouble(Exception):
    """A check failed; ``remedy`` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


class Doubt(Trouble):
    """A warning: all works, but perhaps not as the operator means it."""


async def credentials(settings: Settings) -> str:
    """Check that somebody can use the API, by the settings or by what ``voicebridge keys`` has made."""
    if settings.api_keys:
        return "an API key is set"
    if settings.users:
        return "a user and a password are set"
    remedy = "Set VOICEBRIDGE_API_KEY, or VOICEBRIDGE_USER and VOICEBRIDGE_PASSWORD, or run `voicebridge keys add`."
    try:
        made = await _made_by_keys(settings)
    except StoreFailed as error:
        raise Trouble(f"none are set, and the database tells of none: {error}", remedy) from error
    if not made:
        raise Trouble("nobody could use the API", remedy)
    return f"{made} made by `voicebridge keys`"


async def public_address(settings: Settings) -> str:
    """Check that receivers of pushed reports are given an address of the recordings that they can reach."""
    if settings.public_url is not None:
        return settings.public_url
    try:
        pushes = not _missing_file(settings) and await _read(settings, outbox.is_used)
    except (StoreFailed, SchemaOld, SchemaUnknown):
        return "none is set; the database does not tell whether reports are pushed"
    if not pushes:
        return "none is set, and no report is to be pushed"
    at = settings.url_for_receivers
    raise Doubt(
        f"reports are pushed, and the recordings in them are at {at or 'paths without an address'}",
        "Set VOICEBRIDGE_PUBLIC_URL to where the receivers find the API.",
    )


async def _made_by_keys(settings: Settings) -> int:
    return 0 if _missing_file(settings) else len(await _read(settings, credentials_in_force))


async def _read(settings: Settings, work: Callable[[Connection], _T]) -> _T:
    """Run ``work`` on a database that is opened for it alone. Raises StoreFailed."""
    database = Database(settings.store_url)
    try:
        return await database.read(work)
    finally:
        await database.close()


async def data_folder(settings: Settings) -> str:
    """Check that it can be written, and has room."""
    folder = settings.data_dir
    room = _room_in(folder, "every message and its speech is kept there")
    return f"{folder}, {room}"


async def speech_folder(settings: Settings) -> str:
    """Say who may enter it: Asterisk reads the speech, often as another user."""
    return f"{settings.speech_dir}{_who_may_enter(settings.speech_dir)}"


async def journal_folder(settings: Settings) -> str:
    """Check that its group may write there: Asterisk does, often as another user; the daemon reads and cleans."""
    folder = settings.journal_dir
    room = _room_in(folder, "without its journal nobody knows of a call that Asterisk did not live to tell")
    if folder.is_dir() and not folder.stat().st_mode & 0o020:
        raise Trouble(
            f"the group of {folder} may not write there",
            f"chmod 2770 {folder}, and have Asterisk's user in its group.",
        )
    return f"{folder}, {room}{_who_may_enter(folder)}"


async def database(settings: Settings) -> str:
    """Check that it answers, has the schema of this version or none yet, and that its clock is right within 1 s."""
    remedy = "Correct VOICEBRIDGE_DATABASE_URL; the daemon's user must be allowed to write there."
    name = database_url(settings.store_url).render_as_string(hide_password=True)
    if file := _missing_file(settings):
        folder = _existing(file)
        if not os.access(folder, os.W_OK):
            raise Trouble(f"{folder} cannot be written", remedy)
        return f"{name}; the daemon will make it"
    try:
        is_new, ahead = await _looked_at(Database(settings.store_url))
    except SchemaUnknown as error:
        remedy = 'Read "Going back to an earlier version" in docs/how-to/backup.md.'
        raise Trouble(f"{name}: {error}", remedy) from error
    except SchemaOld as error:
        raise Trouble(f"{name}: {error}", "Or start the daemon of this version, which does the same.") from error
    except StoreFailed as error:
        raise Trouble(f"{name}: {error}", remedy) from error
    if abs(ahead) > MOST_CLOCKS_DIFFER:
        raise Trouble(
            f"{name}: its clock differs from this machine's by {abs(ahead).total_seconds():.1f} s",
            "Let NTP keep the clocks of the database and of every node: what is due is due by them.",
        )
    return f"{name}; the daemon will make its tables" if is_new else name


def _missing_file(settings: Settings) -> Path | None:
    """The file of a SQLite database, when it is not there yet: the daemon makes it, as its own user."""
    url = database_url(settings.store_url)
    file = Path(url.database or "")
    return file if url.get_backend_name() == "sqlite" and not _existing(file).is_file() else None


async def _looked_at(database: Database) -> tuple[bool, timedelta]:
    """Whether it has no tables yet, and how far its clock is ahead. Raises SchemaOld, SchemaUnknown and StoreFailed."""
    try:
        is_new = await database.read(revision_of) == WITHOUT_TABLES
        if not is_new:
            await database.read(refuse_old_schema)
        return is_new, await database.write(_ahead)
    finally:
        await database.close()


def _ahead(connection: Connection) -> timedelta:
    """How far the server's clock is ahead of this machine's; zero for SQLite, which has no server."""
    if connection.dialect.name != "postgresql":
        return timedelta()
    clock: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return clock - datetime.now(UTC)


async def object_storage(bucket: Bucket) -> str:
    """Check that an object can be put there, read and removed."""
    remedy = (
        "Correct VOICEBRIDGE_S3_ENDPOINT, VOICEBRIDGE_S3_BUCKET and the keys; they need PutObject, GetObject and"
        f" DeleteObject on {bucket.prefix or 'everything'}, and ListBucket on the bucket."
    )
    objects, key, content = Objects(bucket), f"doctor-{token_hex(8)}", token_bytes(64)
    step = "put there"
    await objects.start()
    try:
        await objects.put(key, content)
        step = "read"
        is_the_same = await objects.get(key) == content
        step = "removed"
        await objects.delete(key)
        step = "missed"
        await objects.get(key)
    except ObjectNotThere:
        if step == "missed" and is_the_same:
            return f"{bucket.name}, an object was put there, read and removed"
    except ObjectStorageFailed as error:
        raise Trouble(f"an object cannot be {step}: {error}", remedy) from error
    finally:
        await objects.close()
    raise Trouble("what was put there is not what is read", remedy)


def _room_in(folder: Path, why: str) -> str:
    """How much room there is; ``why`` the daemon needs it. Raises Trouble when it is too little, or not writable."""
    place = _existing(folder)
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        raise Trouble(
            f"{place} cannot be written: {error.strerror}",
            f"Make {folder} a folder of the user that the daemon runs as, or set VOICEBRIDGE_DATA_DIR.",
        ) from error
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        raise Trouble(
            f"only {free // 1_000_000} MB are free on the disk of {folder}",
            f"Make room, at least {LEAST_FREE_BYTES // 1_000_000} MB: {why}.",
        )
    return f"{free / 1e9:.1f} GB free{'' if place == folder else '; the daemon will make it'}"


def _who_may_enter(folder: Path) -> str:
    for place in reversed([folder, *folder.parents]):
        if not place.exists():
            break
        mode = place.stat()
        if not mode.st_mode & 0o011:
            return f"; only user {mode.st_uid} may enter {place}: Asterisk must run as that user"
        if not mode.st_mode & 0o001:
            return f"; only group {mode.st_gid} may enter {place}: Asterisk's user must be in it"
    return ", open to Asterisk, whatever user it runs as"


def _existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())
