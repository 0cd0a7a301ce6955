"""Uploads: audio files that applications have left here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from bridge.messages.upload import Upload
from bridge.store.database import Database
from bridge.store.tables import uploads


class Uploads:
    """The uploads of each account; their files are elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: str, upload: Upload) -> None:
        """Note that there is a file."""
        await self._database.write(_add, account, upload)

    async def page(self, account: str, *, limit: int, offset: int) -> list[Upload]:
        """The account's uploads, the newest first."""
        return await self._database.read(_page, account, limit=limit, offset=offset)

    async def count(self, account: str) -> int:
        """How many uploads the account has."""
        return await self._database.read(_count, account)

    async def use(self, account: str, ids: Collection[str], now: datetime) -> set[str]:
        """Note that scripts name these uploads; return those of them that the account has."""
        return await self._database.write(_use, account, ids, now)

    async def unused(self, *, since: datetime, limit: int) -> list[str]:
        """The ids of uploads that no script has named since then."""
        return await self._database.read(_unused, since=since, limit=limit)

    async def known(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that are uploads."""
        return await self._database.read(_known, ids)

    async def remove(self, upload_id: str) -> None:
        """Forget an upload whose file is gone."""
        await self._database.write(_remove, upload_id)


def _add(connection: Connection, account: str, upload: Upload) -> None:
    connection.execute(insert(uploads), {"account": account, **asdict(upload)})


def _page(connection: Connection, account: str, *, limit: int, offset: int) -> list[Upload]:
    rows = connection.execute(
        select(uploads)
        .where(uploads.c.account == account)
        .order_by(uploads.c.created_at.desc(), uploads.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [_upload_of(row) for row in rows.mappings()]


def _count(connection: Connection, account: str) -> int:
    wanted = select(func.count()).select_from(uploads).where(uploads.c.account == account)
    return connection.execute(wanted).scalar_one()


def _use(connection: Connection, account: str, ids: Collection[str], now: datetime) -> set[str]:
    mine = uploads.c.account == account, uploads.c.id.in_(ids)
    connection.execute(update(uploads).where(*mine).values(used_at=now))
    return set(connection.execute(select(uploads.c.id).where(*mine)).scalars())


def _unused(connection: Connection, *, since: datetime, limit: int) -> list[str]:
    wanted = select(uploads.c.id).where(uploads.c.used_at < since).order_by(uploads.c.used_at).limit(limit)
    return list(connection.execute(wanted).scalars())


def _known(connection: Connection, ids: Collection[str]) -> set[str]:
    return set(connection.execute(select(uploads.c.id).where(uploads.c.id.in_(ids))).scalars())


def _remove(connection: Connection, upload_id: str) -> None:
    connection.execute(delete(uploads).where(uploads.c.id == upload_id))


def _upload_of(row: RowMapping) -> Upload:
    return Upload(**{name: row[name] for name in Upload.__slots__})
