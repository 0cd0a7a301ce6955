"""Who is asking."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256


class Authenticator:
    """Knows which credentials belong to which account.

    ``keys`` maps API keys to accounts, ``users`` pairs of name and password. Only digests of the secrets are kept.
    Raises ValueError for an empty secret, which would open the door to everyone.
    """

    def __init__(self, *, keys: Mapping[str, str], users: Mapping[tuple[str, str], str]) -> None:
        if not all(keys) or not all(password for _, password in users):
            raise ValueError("an API key or a password is empty")
        self._accounts = {_digest("app", key): account for key, account in keys.items()}
        for (name, password), account in users.items():
            self._accounts[_digest("basic", f"{name}:{password}")] = account

    def account(self, authorization: str) -> str | None:
        """The account that an ``Authorization`` header opens, or None.

        Understands ``App KEY`` and ``Basic`` (RFC 7617). Every credential is compared, each in constant time, so that
        an answer's time tells nothing.
        """
        scheme, _, credentials = authorization.strip().partition(" ")
        presented = _presented(scheme.lower(), credentials.strip())
        found = None
        for digest, account in self._accounts.items():
            if hmac.compare_digest(digest, presented):
                found = account
        return found


def _presented(scheme: str, credentials: str) -> bytes:
    if scheme != "basic":
        return _digest(scheme, credentials)
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return b""
    return _digest("basic", decoded)


def _digest(scheme: str, secret: str) -> bytes:
    return sha256(f"{scheme} {secret}".encode(errors="surrogateescape")).digest()
