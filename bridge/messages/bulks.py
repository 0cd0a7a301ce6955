"""Status of a bulk: what its account asked for, and how far its messages are (``docs/reference/api.md``)."""

from __future__ import annotations

from enum import StrEnum


class BulkStatus(StrEnum):
    """The statuses of a bulk, as the wire writes them."""

    PENDING = "PENDING"
    """Nothing of it has been dialled yet."""
    PAUSED = "PAUSED"
    """Nothing more of it is dialled until it is resumed."""
    PROCESSING = "PROCESSING"
    """Some of its messages have been dialled, some are not done."""
    CANCELED = "CANCELED"
    """Stopped for good."""
    FINISHED = "FINISHED"
    """All of its messages are done."""


def bulk_status(held: BulkStatus | None, *, begun: bool, over: bool) -> BulkStatus:
    """The status of a bulk.

    ``held`` is PAUSED or CANCELED when its account has asked for that. ``begun`` says that some of it was dialled,
    ``over`` that all of its messages are done.
    """
    if held is BulkStatus.CANCELED:
        return held
    if over:
        return BulkStatus.FINISHED
    if held is not None:
        return held
    return BulkStatus.PROCESSING if begun else BulkStatus.PENDING
