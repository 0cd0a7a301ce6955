"""Hangup causes and SIP statuses: the status and error (``docs/reference/errors.md``) of an attempt that ended so."""

from __future__ import annotations

from bridge.messages.statuses import (
    DELIVERED_TO_HANDSET,
    EXPIRED_EXPIRED,
    EXPIRED_UNKNOWN,
    INTERNAL_SERVER_ERROR,
    NO_ANSWER,
    TRUNK_NOT_RESOLVED,
    USER_BUSY,
    VOICE_ANSWERED,
    VOICE_ANSWERED_MACHINE,
)
from bridge.telephony.events import Ended

NORMAL_CLEARING = 16
NO_USER_RESPONDING = 18
NO_ANSWER_FROM_USER = 19
NO_CIRCUIT = 34
NETWORK_OUT_OF_ORDER = 38
"""Causes of ITU-T Q.850."""

UNSENT_CAUSE = NETWORK_OUT_OF_ORDER
"""Ours for a call that was sent to no address; Asterisk gives it 34, as if the trunk had no free circuit."""

UNSENT = "unsent"
"""The channel language by which our dialplan marks such a call: see ``extensions.conf``."""

_OK = 200
_VOICE_ERRORS = 5000

_ERRORS = {
    486: USER_BUSY,
    487: NO_ANSWER,
    600: USER_BUSY,
}
"""SIP statuses whose error is not 5000 plus the status."""

_SIP_STATUSES = {
    1: 404,
    2: 404,
    3: 404,
    17: 486,
    NO_USER_RESPONDING: 487,
    NO_ANSWER_FROM_USER: 487,
    20: 480,
    21: 603,
    22: 410,
    23: 410,
    26: 404,
    27: 502,
    28: 484,
    29: 501,
    31: 480,
    NO_CIRCUIT: 503,
    NETWORK_OUT_OF_ORDER: 503,
    41: 503,
    42: 503,
    47: 503,
    55: 403,
    57: 403,
    58: 503,
    65: 488,
    70: 488,
    79: 501,
    87: 403,
    88: 503,
    102: 504,
    111: 500,
    127: 500,
}
"""The SIP status for each cause, where none came.

RFC 3398, 7.2.4.1, but for 18 and 19 (the callee was alerted and did not answer) and 21 (the callee declined).
"""


def outcome_of(ended: Ended, *, answered: bool, by_machine: bool = False) -> tuple[int, int]:
    """The status id and error id (``docs/reference/errors.md``) of an attempt that ended so."""
    if answered:
        return DELIVERED_TO_HANDSET, VOICE_ANSWERED_MACHINE if by_machine else VOICE_ANSWERED
    if ended.lost:
        return EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR
    if ended.unsent:
        return EXPIRED_EXPIRED, TRUNK_NOT_RESOLVED
    if ended.timed_out or ended.by == "caller":
        return EXPIRED_EXPIRED, NO_ANSWER
    sip_status = ended.sip_status or _SIP_STATUSES.get(ended.cause, 500)
    return EXPIRED_EXPIRED, _ERRORS.get(sip_status, _VOICE_ERRORS + sip_status)


def final_sip_status(ended: Ended, *, answered: bool) -> int | None:
    """The SIP status that the INVITE was answered with in the end (RFC 3261, 17.1.1); None when there was none."""
    return _OK if answered else ended.sip_status
