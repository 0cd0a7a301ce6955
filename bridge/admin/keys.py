"""``voicebridge keys``: adds, lists and revokes the API keys and users of accounts.

The schema is never changed, since a daemon may run on it. Each function raises SchemaOld, SchemaUnknown and
StoreFailed.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bridge.api.http.secrets import key_digest, password_digest
from bridge.base.errors import VoicebridgeError
from bridge.base.threads import LARGE
from bridge.settings import Settings
from bridge.store import Accounts, Store

_SHOWN_CHARACTERS = 7
"""So many characters of a key are kept and shown, by which an operator knows it."""

_ROW = "{:>6}  {:4}  {:20}  {:16}  {:16}  {}"


class CredentialUnknown(VoicebridgeError):
    """There is no such credential in force."""

    id = "CREDENTIAL_UNKNOWN"


class CredentialInvalid(VoicebridgeError):
    """An account, a name or a password that cannot be taken."""

    id = "CREDENTIAL_INVALID"


async def add_key(settings: Settings, account: str) -> str:
    """Make an API key for an account, and return it; it cannot be shown again. Raises CredentialInvalid."""
    _refuse_unprintable("account", account)
    key = f"vb_{secrets.token_urlsafe(32)}"
    async with _accounts(settings) as accounts:
        await accounts.add_credential(account=account, kind="key", name=key[:_SHOWN_CHARACTERS], digest=key_digest(key))
    return key


async def add_user(settings: Settings, account: str, name: str, password: str) -> None:
    """Add a user to an account, for Basic authentication (RFC 7617). Raises CredentialInvalid and UserExists."""
    _refuse_unprintable("account", account)
    _refuse_unprintable("user", name)
    if ":" in name:
        raise CredentialInvalid("a user's name must not contain a colon (RFC 7617)")
    if not password:
        raise CredentialInvalid("the password is empty")
    digest = await LARGE.run(password_digest, password)
    async with _accounts(settings) as accounts:
        await accounts.add_credential(account=account, kind="user", name=name, digest=digest)


async def list_keys(settings: Settings) -> None:
    """Print all credentials, times in UTC. Secrets are not shown: only their digests are kept."""
    async with _accounts(settings) as accounts:
        kept = await accounts.all_credentials()
    print(_ROW.format("NUMBER", "KIND", "NAME", "CREATED", "REVOKED", "ACCOUNT"))
    for each in kept:
        name = f"{each.name}…" if each.kind == "key" else each.name
        print(
            _ROW.format(each.number, each.kind, name, _minute(each.created_at), _minute(each.revoked_at), each.account)
        )


async def revoke_key(settings: Settings, number: int) -> None:
    """Revoke a credential, by the number that `list_keys` prints. Raises CredentialUnknown."""
    async with _accounts(settings) as accounts:
        if not await accounts.revoke_credential(number):
            raise CredentialUnknown(f"there is no credential {number} in force; see voicebridge keys list")


@asynccontextmanager
async def _accounts(settings: Settings) -> AsyncIterator[Accounts]:
    store = Store(settings.store_url, migrates=False)
    try:
        yield store.accounts
    finally:
        await store.close()


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _refuse_unprintable(what: str, name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise CredentialInvalid(f"the {what} must be a word")
