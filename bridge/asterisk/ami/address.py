"""Address of the manager interface (AMI) of an Asterisk, with the account that logs in there."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from bridge.base.errors import WRONG_SETTINGS
from bridge.telephony.errors import ExchangeError

_PORT = 5038


class AmiAddressInvalid(ExchangeError):
    """An address of AMI is not of its form, or the user or the secret is missing."""

    id = "AMI_ADDRESS_INVALID"
    exit_status = WRONG_SETTINGS


@dataclass(frozen=True, slots=True)
class AmiAddress:
    """An AMI account at one Asterisk."""

    user: str
    secret: str = field(repr=False)
    host: str
    port: int

    @property
    def name(self) -> str:
        """``host:port``, by which this Asterisk is known in the store, in logs and in the journal."""
        return f"{self.host}:{self.port}"


def ami_address(url: str) -> AmiAddress:
    """Read ``ami://user:secret@host:port``, user and secret percent-encoded; the port is 5038 when there is none.

    Raises AmiAddressInvalid, whose text quotes nothing of the URL, so that the secret stays one.
    """
    try:
        parts = urlsplit(url)
        port = _PORT if parts.port is None else parts.port
    except ValueError:  # its text would quote what follows a slash in the secret
        raise _invalid() from None
    user, secret, host = unquote(parts.username or ""), unquote(parts.password or ""), parts.hostname
    if parts.scheme != "ami" or not (user and secret and host and port) or not (user + secret).isprintable():
        raise _invalid()
    return AmiAddress(user, secret, host, port)


def _invalid() -> AmiAddressInvalid:
    return AmiAddressInvalid(
        "an address in VOICEBRIDGE_AMI_URL is not ami://user:secret@host:port, with : / @ and the like in the secret"
        " percent-encoded"
    )
