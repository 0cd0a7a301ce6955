"""What ``voicebridge doctor`` says of the places where things are kept: folders, the database, object storage."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes, token_hex

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from bridge.asterisk import Journal
from bridge.asterisk.errors import UnsafeValue
from bridge.config import Settings
from bridge.objects import Bucket, ObjectNotThere, Objects, ObjectStorageFailed
from bridge.store.database import Database
from bridge.store.errors import StoreFailed

LEAST_FREE_BYTES = 500_000_000
MOST_CLOCKS_DIFFER = timedelta(seconds=1)


class Trouble(Exception):
    """A check failed; ``remedy`` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


async def data_folder(settings: Settings) -> str:
    """It can be written, and there is room."""
    folder = settings.data_dir
    room = _room_in(folder, "every message and its speech is kept there")
    return f"{folder}, {room}"


async def speech_folder(settings: Settings) -> str:
    """Asterisk reads the speech, often as another user: say who can."""
    return f"{settings.speech_dir}{_who_may_enter(settings.speech_dir)}"


async def journal_folder(settings: Settings) -> str:
    """Asterisk writes there, often as another user of the same group; the daemon reads and cleans."""
    folder = settings.journal_dir
    try:
        Journal(folder)
    except UnsafeValue as error:
        raise Trouble(str(error), "Give VOICEBRIDGE_DATA_DIR a path of letters, digits and - _ . /") from error
    room = _room_in(folder, "without its journal nobody knows of a call that Asterisk did not live to tell")
    if folder.is_dir() and not folder.stat().st_mode & 0o020:
        raise Trouble(
            f"the group of {folder} may not write there",
            f"chmod 2770 {folder}, and have Asterisk's user in its group.",
        )
    return f"{folder}, {room}{_who_may_enter(folder)}"


async def database(settings: Settings) -> str:
    """It answers, and its clock is right."""
    remedy = "Correct VOICEBRIDGE_DATABASE_URL; the daemon's user must be allowed to write there."
    try:
        url = make_url(settings.store_url)
    except ArgumentError:
        raise Trouble("VOICEBRIDGE_DATABASE_URL is no database URL", remedy) from None
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not (folder := _existing(Path(url.database or ""))).is_file():
        # Opening it would make the file, and for the wrong user.
        if not os.access(folder, os.W_OK):
            raise Trouble(f"{folder} cannot be written", remedy)
        return f"{name}; the daemon will make it"
    try:
        ahead = await _clock_of(Database(settings.store_url))
    except StoreFailed as error:
        raise Trouble(f"{name}: {error}", remedy) from error
    if abs(ahead) > MOST_CLOCKS_DIFFER:
        raise Trouble(
            f"{name}: its clock differs from this machine's by {abs(ahead).total_seconds():.1f} s",
            "Let NTP keep the clocks of the database and of every node: what is due is due by them.",
        )
    return name


async def _clock_of(database: Database) -> timedelta:
    """How far the server's clock is ahead; the database of a file has none of its own."""

    def ahead(connection: Connection) -> timedelta:
        if connection.dialect.name != "postgresql":
            return timedelta()
        clock: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return clock - datetime.now(UTC)

    try:
        return await database.write(ahead)
    finally:
        await database.close()


async def object_storage(bucket: Bucket) -> str:
    """One object is put there, read and removed."""
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
    """How much room there is for what the daemon writes there."""
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
    """The path itself, or the nearest folder above that is there."""
    return next(place for place in (path, *path.parents) if place.exists())
