"""The only room that knows Asterisk: the AMI link, calls on their channels, hangup causes, configuration files."""

from bridge.asterisk.call import Call
from bridge.asterisk.calls import (
    Answered,
    CallEvent,
    Detected,
    Ended,
    GreetingOver,
    Key,
    Origination,
    Played,
    Ready,
    Recorded,
    Ringing,
    Transfer,
    TransferAnswered,
    TransferOver,
)
from bridge.asterisk.causes import outcome_of
from bridge.asterisk.errors import AmiError, LinkDown, LoginRefused, Rejected, Unconfirmed, UnsafeValue
from bridge.asterisk.journal import Journal, Record
from bridge.asterisk.link import AmiLink
from bridge.asterisk.switchboard import Switchboard

__all__ = [
    "AmiError",
    "AmiLink",
    "Answered",
    "Call",
    "CallEvent",
    "Detected",
    "Ended",
    "GreetingOver",
    "Journal",
    "Key",
    "LinkDown",
    "LoginRefused",
    "Origination",
    "Played",
    "Ready",
    "Record",
    "Recorded",
    "Rejected",
    "Ringing",
    "Switchboard",
    "Transfer",
    "TransferAnswered",
    "TransferOver",
    "Unconfirmed",
    "UnsafeValue",
    "outcome_of",
]
