"""Authentication: the account that a request's credentials belong to."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from secrets import token_bytes

from bridge.api.http.secrets import key_digest, password_fits
from bridge.base.threads import LARGE
from bridge.store import Credential

_READ_AGAIN_SECONDS = 2.0


class Authenticator:
    """Knows which credentials belong to which account.

    ``keys`` maps API keys to accounts, ``users`` pairs of name and password: both come from the settings. ``kept``
    reads those in the database, again every few seconds, so that a change needs no restart. Only digests of the secrets
    are held. Raises ValueError for an empty secret, which would let everyone in.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, str],
        users: Mapping[tuple[str, str], str],
        kept: Callable[[], Awaitable[Sequence[Credential]]],
    ) -> None:
        if not all(keys) or not all(password for _, password in users):
            raise ValueError("an API key or a password is empty")
        self._keys = {key_digest(key): account for key, account in keys.items()}
        self._verified_salt = token_bytes()
        self._users = {self._quick_digest(name, password): account for (name, password), account in users.items()}
        self._kept = kept
        self._kept_keys: dict[str, str] = {}
        self._kept_users: dict[str, Credential] = {}
        self._verified: dict[bytes, Credential] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._verifying = asyncio.Semaphore(1)

    async def account(self, authorization: str) -> str | None:
        """The account that an ``Authorization`` header belongs to, or None.

        Understands ``App KEY``, ``IBSSO KEY`` and ``Basic`` (RFC 7617). A secret is looked up by its digest, so that an
        answer's time tells nothing about it. Raises StoreFailed.
        """
        scheme, _, credentials = authorization.strip().partition(" ")
        await self._read_again()
        match scheme.lower():
            case "app" | "ibsso":
                digest = key_digest(credentials.strip())
                return self._keys.get(digest) or self._kept_keys.get(digest)
            case "basic":
                return await self._account_of_user(*_name_and_password(credentials.strip()))
            case _:
                return None

    async def _account_of_user(self, name: str, password: str) -> str | None:
        digest = self._quick_digest(name, password)
        if digest in self._users:
            return self._users[digest]
        user = self._kept_users.get(name)
        if user is None:
            return None
        if self._verified.get(digest) != user:
            # One at a time, so that guessing passwords takes no processor from the calls.
            async with self._verifying:
                if not await LARGE.run(password_fits, password, user.digest):
                    return None
            self._verified[digest] = user
        return user.account

    async def _read_again(self) -> None:
        async with self._reading:
            if time.monotonic() - self._read_at < _READ_AGAIN_SECONDS:
                return
            kept = await self._kept()
            self._kept_keys = {each.digest: each.account for each in kept if each.kind == "key"}
            self._kept_users = {each.name: each for each in kept if each.kind == "user"}
            self._verified = {
                digest: user for digest, user in self._verified.items() if self._kept_users.get(user.name) == user
            }
            self._read_at = time.monotonic()

    def _quick_digest(self, name: str, password: str) -> bytes:
        """A fast digest for secrets in memory only; its key is new at each start, so it is of no use elsewhere."""
        presented = f"{name}:{password}".encode(errors="surrogateescape")
        return blake2b(presented, key=self._verified_salt).digest()


def _name_and_password(credentials: str) -> tuple[str, str]:
    """Empty when it is not what RFC 7617 says; nobody has an empty password."""
    try:
        name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
