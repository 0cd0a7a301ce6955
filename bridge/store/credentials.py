"""Who may use which account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.base.errors import VoicebridgeError
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


_IN_FORCE = select(credentials).where(credentials.c.revoked_at.is_(None))
_ALL = select(credentials).order_by(credentials.c.key)
_ADD = insert(credentials).returning(credentials.c.key)
_REVOKE = (
    update(credentials)
    .where(credentials.c.key == bindparam("number"), credentials.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def in_force(connection: Connection) -> list[Credential]:
    """Those that open a door now."""
    return [_credential(row) for row in connection.execute(_IN_FORCE).mappings()]


def every(connection: Connection) -> list[Credential]:
    """All there ever were."""
    return [_credential(row) for row in connection.execute(_ALL).mappings()]


def add(connection: Connection, *, account: str, kind: CredentialKind, name: str, digest: str, now: datetime) -> int:
    """Keep a credential; return its number. Raises UserExists."""
    values = {"account": account, "kind": kind, "name": name, "digest": digest, "created_at": now}
    try:
        number: int = connection.execute(_ADD, values).scalar_one()
    except IntegrityError as error:
        raise UserExists(f"there is a user {name}; revoke it first") from error
    return number


def revoke(connection: Connection, number: int, now: datetime) -> bool:
    """Close the door to a credential; False when there is none of that number in force."""
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
