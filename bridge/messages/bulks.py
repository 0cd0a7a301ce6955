"""Where a bulk stands (wire contract, section 5.3)."""

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
    """The status of a bulk that its account has paused or canceled, or neither (``held`` is None)."""
    if held is BulkStatus.CANCELED:
        return held
    if over:
        return BulkStatus.FINISHED
    if held is not None:
        return held
    return BulkStatus.PROCESSING if begun else BulkStatus.PENDING
