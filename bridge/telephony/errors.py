"""Errors of what is asked of Asterisk, and of reading its journal."""

from __future__ import annotations

from bridge.base.errors import VoicebridgeError


class ExchangeError(VoicebridgeError):
    """Something that was asked of Asterisk is not known to be done."""

    id = "AMI_ERROR"


class UnsafeValue(ExchangeError):
    """A value that must not go over AMI: nothing was sent."""

    id = "AMI_UNSAFE_VALUE"


class LinkDown(ExchangeError):
    """There is no link to Asterisk: nothing was sent."""

    id = "AMI_LINK_DOWN"


class LoginRefused(ExchangeError):
    """Asterisk does not let us in."""

    id = "AMI_LOGIN_REFUSED"


class Rejected(ExchangeError):
    """Asterisk answered, and refused."""

    id = "AMI_REJECTED"


class Unconfirmed(ExchangeError):
    """It was sent, and the answer never came: it may or may not have been done. It must not be sent again."""

    id = "AMI_UNCONFIRMED"


class JournalUnreadable(VoicebridgeError):
    """What Asterisk wrote down cannot be read: nothing follows from what is not found in it."""

    id = "JOURNAL_UNREADABLE"
