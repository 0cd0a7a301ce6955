"""Digests of API keys and passwords, kept instead of the secrets themselves."""

from __future__ import annotations

import hmac
from hashlib import scrypt, sha256
from secrets import token_bytes

_N, _R, _P = 2**14, 8, 5
"""Costs of scrypt (RFC 7914): 16 MB and some tenths of a second, as OWASP recommends."""

_SALT_BYTES = 16


def key_digest(key: str) -> str:
    """An API key's digest, a plain hash (SHA-256, hex): the key is random and long, so the hash gives nothing away."""
    return sha256(_bytes(key)).hexdigest()


def password_digest(password: str) -> str:
    """A password's digest, salted and slow since it may be guessed: salt and scrypt, hex. Takes tenths of a second."""
    salt = token_bytes(_SALT_BYTES)
    return f"{salt.hex()}${_slow(password, salt).hex()}"


def password_fits(password: str, digest: str) -> bool:
    """Whether this password was digested. Takes tenths of a second."""
    salt, _, kept = digest.partition("$")
    return hmac.compare_digest(_slow(password, bytes.fromhex(salt)), bytes.fromhex(kept))


def _slow(password: str, salt: bytes) -> bytes:
    return scrypt(_bytes(password), salt=salt, n=_N, r=_R, p=_P)


def _bytes(secret: str) -> bytes:
    return secret.encode(errors="surrogateescape")
