"""Credentials: the API keys and users of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Literal

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.base.errors import VoicebridgeError
from bridge.store.database import Database
from bridge.store.tables import credentials

CredentialKind = Literal["key", "user"]


class UserExists(VoicebridgeError):
    """There is a user of that name, who must be revoked first."""

    id: ClassVar[str] = "USER_EXISTS"


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key, or a user with a password, of an account. ``number`` is how an operator refers to it.

    ``name`` is the user, or the first characters of the key; ``digest`` is what is kept of the secret.
    """

    number: int
    account: str
    kind: CredentialKind
    name: str
    digest: str
    created_at: datetime
    revoked_at: datetime | None


class Accounts:
    """The credentials of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def credentials(self) -> list[Credential]:
        """The credentials that are in force."""
        return await self._database.read(credentials_in_force)

    async def all_credentials(self) -> list[Credential]:
        """All credentials there ever were, the oldest first."""
        return await self._database.read(_all)

    async def add_credential(self, *, account: str, kind: CredentialKind, name: str, digest: str) -> int:
        """Keep a credential; return its number. Raises UserExists."""
        return await self._database.write(
            _add, account=account, kind=kind, name=name, digest=digest, now=datetime.now(UTC)
        )

    async def revoke_credential(self, number: int) -> bool:
        """Revoke a credential; False when there is none of that number in force."""
        return await self._database.write(_revoke, number, datetime.now(UTC))


_IN_FORCE = select(credentials).where(credentials.c.revoked_at.is_(None))
_ALL = select(credentials).order_by(credentials.c.key)
_ADD = insert(credentials).returning(credentials.c.key)
_REVOKE = (
    update(credentials)
    .where(credentials.c.key == bindparam("number"), credentials.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def credentials_in_force(connection: Connection) -> list[Credential]:
    """The credentials that are in force."""
    return [_credential(row) for row in connection.execute(_IN_FORCE).mappings()]


def _all(connection: Connection) -> list[Credential]:
    return [_credential(row) for row in connection.execute(_ALL).mappings()]


def _add(connection: Connection, *, account: str, kind: CredentialKind, name: str, digest: str, now: datetime) -> int:
    values = {"account": account, "kind": kind, "name": name, "digest": digest, "created_at": now}
    try:
        number: int = connection.execute(_ADD, values).scalar_one()
    except IntegrityError as error:
        raise UserExists(f"there is a user {name}; revoke it first") from error
    return number


def _revoke(connection: Connection, number: int, now: datetime) -> bool:
    return connection.execute(_REVOKE, {"number": number, "now": now}).rowcount == 1


def _credential(row: RowMapping) -> Credential:
    return Credential(
        number=row["key"],
        account=row["account"],
        kind=row["kind"],
        name=row["name"],
        digest=row["digest"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
