"""The only room that knows Asterisk: the AMI link, calls on their channels, hangup causes, configuration files."""

from bridge.asterisk.ami.errors import AmiError, LinkDown, LoginRefused, Rejected, Unconfirmed, UnsafeValue
from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.call import DEFAULT_CALL_LIMIT, Call
from bridge.asterisk.journal import Journal, Record
from bridge.asterisk.switchboard import Switchboard
from bridge.telephony.causes import final_sip_status, outcome_of
from bridge.telephony.events import (
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

__all__ = [
    "DEFAULT_CALL_LIMIT",
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
    "final_sip_status",
    "outcome_of",
]
