"""Signatures of pushed reports, after the Standard Webhooks specification 1.0."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

from bridge.base.errors import VoicebridgeError

_PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64


class WebhookSecretInvalid(VoicebridgeError):
    """The webhook secret is not ``whsec_`` and 24 to 64 bytes in base64."""

    id: ClassVar[str] = "WEBHOOK_SECRET_INVALID"


def signing_key(secret: str) -> bytes:
    """The key that a secret (``whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw``) stands for. Raises WebhookSecretInvalid."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        raise WebhookSecretInvalid("a webhook secret is whsec_ and 24 to 64 random bytes in base64")
    return key


def webhook_headers(webhook_id: str, at: datetime, body: bytes, key: bytes | None) -> dict[str, str]:
    """The headers that tell a receiver a webhook's id, its age and, with a key, that it is ours."""
    timestamp = str(int(at.timestamp()))
    headers = {"webhook-id": webhook_id, "webhook-timestamp": timestamp}
    if key is not None:
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        headers["webhook-signature"] = f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}"
    return headers
