"""The tables of statuses and errors that applications know (``docs/reference/errors.md``)."""

from __future__ import annotations

from dataclasses import dataclass

ACCEPTED = "ACCEPTED"
PENDING = "PENDING"
UNDELIVERABLE = "UNDELIVERABLE"
DELIVERED = "DELIVERED"
EXPIRED = "EXPIRED"
REJECTED = "REJECTED"

STATUS_GROUPS = (ACCEPTED, PENDING, UNDELIVERABLE, DELIVERED, EXPIRED, REJECTED)
"""Names of the status groups; a group's id is its index."""

ERROR_GROUPS = ("OK", "HANDSET_ERRORS", "USER_ERRORS", "OPERATOR_ERRORS")
"""Names of the error groups; a group's id is its index."""

PENDING_TIME_VIOLATION = 1
DELIVERED_TO_HANDSET = 5
UNDELIVERABLE_NOT_DELIVERED = 9
EXPIRED_EXPIRED = 15
REJECTED_NOT_REACHABLE = 16
EXPIRED_UNKNOWN = 22
PENDING_ACCEPTED = 26

VOICE_ANSWERED = 5000
VOICE_ANSWERED_MACHINE = 5001
USER_BUSY = 5002
NO_ANSWER = 5003
ERROR_DOWNLOADING_FILE = 5004
ERROR_UNSUPPORTED_AUDIO_FORMAT = 5005
REQUEST_TIMEOUT = 5408
CANCELED = 5487
"""Canceled by its account before the answer; numbered for SIP 487, Request Terminated (RFC 3261, section 21.4.25)."""
INTERNAL_SERVER_ERROR = 5500
SERVICE_UNAVAILABLE = 5503
TRUNK_NOT_RESOLVED = 5700
"""Our own: above 5000 plus any SIP status."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where a message stands or how it ended."""

    id: int
    name: str
    group: str
    description: str


@dataclass(frozen=True, slots=True)
class Error:
    """Why a message ended as it did; ``permanent`` says that calling again is of no use."""

    id: int
    name: str
    group: str
    permanent: bool
    description: str


_STATUSES = {
    status.id: status
    for status in (
        Status(0, "MESSAGE_ACCEPTED", ACCEPTED, "Message accepted"),
        Status(1, "PENDING_TIME_VIOLATION", PENDING, "Message waits for its time window"),
        Status(2, "DELIVERED_TO_OPERATOR", DELIVERED, "Message delivered to operator"),
        Status(3, "PENDING_WAITING_DELIVERY", PENDING, "Message sent, waiting for delivery report"),
        Status(4, "UNDELIVERABLE_REJECTED_OPERATOR", UNDELIVERABLE, "Message rejected by operator"),
        Status(5, "DELIVERED_TO_HANDSET", DELIVERED, "Message delivered to handset"),
        Status(6, "REJECTED_NETWORK", REJECTED, "Network is forbidden"),
        Status(7, "PENDING_ENROUTE", PENDING, "Message sent to next instance"),
        Status(8, "REJECTED_PREFIX_MISSING", REJECTED, "Number prefix missing"),
        Status(9, "UNDELIVERABLE_NOT_DELIVERED", UNDELIVERABLE, "Message sent not delivered"),
        Status(10, "REJECTED_DND", REJECTED, "Destination is on the do-not-disturb list"),
        Status(11, "REJECTED_SOURCE", REJECTED, "Invalid source address"),
        Status(12, "REJECTED_NOT_ENOUGH_CREDITS", REJECTED, "Not enough credits"),
        Status(13, "REJECTED_SENDER", REJECTED, "Sender is blacklisted"),
        Status(14, "REJECTED_DESTINATION", REJECTED, "Destination is blacklisted"),
        Status(15, "EXPIRED_EXPIRED", EXPIRED, "Message expired"),
        Status(16, "REJECTED_NOT_REACHABLE", REJECTED, "Network is not reachable"),
        Status(17, "REJECTED_PREPAID_PACKAGE_EXPIRED", REJECTED, "Prepaid package expired"),
        Status(18, "REJECTED_DESTINATION_NOT_REGISTERED", REJECTED, "Destination is not registered"),
        Status(19, "REJECTED_ROUTE_NOT_AVAILABLE", REJECTED, "Route is not available"),
        Status(20, "REJECTED_FLOODING_FILTER", REJECTED, "Message rejected by the flooding filter"),
        Status(21, "REJECTED_SYSTEM_ERROR", REJECTED, "System error"),
        Status(22, "EXPIRED_UNKNOWN", EXPIRED, "Message expired for an unknown reason"),
        Status(23, "REJECTED_DUPLICATE_MESSAGE_ID", REJECTED, "Duplicate message id"),
        Status(24, "REJECTED_INVALID_UDH", REJECTED, "Invalid user data header"),
        Status(25, "REJECTED_MESSAGE_TOO_LONG", REJECTED, "Message is too long"),
        Status(26, "PENDING_ACCEPTED", PENDING, "Message accepted, pending for delivery."),
    )
}

_OK, _HANDSET, _USER, _OPERATOR = ERROR_GROUPS

_ERRORS = {
    error.id: error
    for error in (
        Error(0, "NO_ERROR", _OK, False, "No Error"),
        Error(5000, "VOICE_ANSWERED", _OK, True, "Call answered by human"),
        Error(5001, "VOICE_ANSWERED_MACHINE", _OK, True, "Call answered by machine"),
        Error(5002, "EC_VOICE_USER_BUSY", _USER, True, "User was busy during call attempt"),
        Error(5003, "EC_VOICE_NO_ANSWER", _USER, True, "User was notified, but did not answer call"),
        Error(
            5004,
            "EC_VOICE_ERROR_DOWNLOADING_FILE",
            _USER,
            True,
            "File provided for call could not be downloaded",
        ),
        Error(
            5005,
            "EC_VOICE_ERROR_UNSUPPORTED_AUDIO_FORMAT",
            _USER,
            True,
            "Format of file provided for call is not supported",
        ),
        Error(5403, "EC_VOICE_ERROR_FORBIDDEN", _OPERATOR, False, "Request rejected"),
        Error(5404, "EC_VOICE_ERROR_DESTINATION_NOT_FOUND", _OPERATOR, False, "User does not exist"),
        Error(5408, "EC_VOICE_ERROR_REQUEST_TIMEOUT", _OPERATOR, False, "User could not be found in time"),
        Error(5480, "EC_VOICE_ERROR_TEMPORARILY_NOT_AVAILABLE", _OPERATOR, False, "Callee currently unavailable"),
        Error(5500, "EC_VOICE_INTERNAL_SERVER_ERROR", _OPERATOR, False, "Unexpected condition"),
        Error(5503, "EC_VOICE_SERVICE_UNAVAILABLE", _OPERATOR, False, "Service failed"),
        Error(5603, "EC_DECLINE", _OPERATOR, False, "Decline."),
        Error(
            5700,
            "EC_VOICE_TRUNK_NOT_RESOLVED",
            _OPERATOR,
            False,
            "Nobody was called: the name of the trunk leads to no address",
        ),
    )
}


def status(id_: int) -> Status:
    """The status of that id. Raises KeyError when the table has none."""
    return _STATUSES[id_]


def error(id_: int) -> Error:
    """The error of that id; EC_UNKNOWN_ERROR when the table has none: its last three digits are the SIP status."""
    return _ERRORS.get(id_) or Error(
        id_, "EC_UNKNOWN_ERROR", _OPERATOR, False, f"Unknown error, SIP status {id_ % 1000}"
    )


def statuses() -> list[Status]:
    """All statuses, by id."""
    return list(_STATUSES.values())


def errors() -> list[Error]:
    """All errors that have a name, by id."""
    return list(_ERRORS.values())
