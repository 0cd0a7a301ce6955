"""Audio files that applications left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from bridge.messages.upload import Upload
from bridge.store.tables import uploads


def add(connection: Connection, account: str, upload: Upload) -> None:
    """Note that there is a file."""
    connection.execute(insert(uploads), {"account": account, **asdict(upload)})


def page(connection: Connection, account: str, *, limit: int, offset: int) -> list[Upload]:
    """The account's uploads, the newest first."""
    rows = connection.execute(
        select(uploads)
        .where(uploads.c.account == account)
        .order_by(uploads.c.created_at.desc(), uploads.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [_upload_of(row) for row in rows.mappings()]


def count(connection: Connection, account: str) -> int:
    """How many uploads the account has."""
    wanted = select(func.count()).select_from(uploads).where(uploads.c.account == account)
    return connection.execute(wanted).scalar_one()


def use(connection: Connection, account: str, ids: Collection[str], now: datetime) -> set[str]:
    """Note that scripts name these uploads; return those of them that the account has."""
    mine = uploads.c.account == account, uploads.c.id.in_(ids)
    connection.execute(update(uploads).where(*mine).values(used_at=now))
    return set(connection.execute(select(uploads.c.id).where(*mine)).scalars())


def unused(connection: Connection, *, since: datetime, limit: int) -> list[str]:
    """The ids of uploads that no script has named since then."""
    wanted = select(uploads.c.id).where(uploads.c.used_at < since).order_by(uploads.c.used_at).limit(limit)
    return list(connection.execute(wanted).scalars())


def known(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are uploads."""
    return set(connection.execute(select(uploads.c.id).where(uploads.c.id.in_(ids))).scalars())


def remove(connection: Connection, upload_id: str) -> None:
    """Forget an upload whose file is gone."""
    connection.execute(delete(uploads).where(uploads.c.id == upload_id))


def _upload_of(row: RowMapping) -> Upload:
    return Upload(**{name: row[name] for name in Upload.__slots__})
