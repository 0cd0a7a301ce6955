"""The only room that knows Asterisk: the AMI link, calls on their channels, hangup causes, configuration files."""

from bridge.asterisk.call import Call
from bridge.asterisk.calls import Answered, CallEvent, Ended, Key, Origination, Played, Ready, Ringing
from bridge.asterisk.causes import outcome_of
from bridge.asterisk.errors import AmiError, LinkDown, LoginRefused, Rejected, Unconfirmed, UnsafeValue
from bridge.asterisk.link import AmiLink
from bridge.asterisk.switchboard import Switchboard, TrunkState

__all__ = [
    "AmiError",
    "AmiLink",
    "Answered",
    "Call",
    "CallEvent",
    "Ended",
    "Key",
    "LinkDown",
    "LoginRefused",
    "Origination",
    "Played",
    "Ready",
    "Rejected",
    "Ringing",
    "Switchboard",
    "TrunkState",
    "Unconfirmed",
    "UnsafeValue",
    "outcome_of",
]
