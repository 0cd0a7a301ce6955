"""Limit of a call: when Asterisk ends it by itself."""

from __future__ import annotations

from collections.abc import Callable

from bridge.telephony.events import Origination, TransferOrder
from bridge.telephony.exchange import DEFAULT_CALL_LIMIT

_ROUNDED_SECONDS = 0.6
"""AbsoluteTimeout takes whole seconds."""


class CallLimit:
    """One call's limit; ``seconds`` count from the answer on, ``clock`` is the loop's.

    Without a limit of its own (``callTimeout``) a call may last as long as its transfers do.
    """

    def __init__(self, origination: Origination, clock: Callable[[], float]) -> None:
        self.seconds = origination.call_timeout or DEFAULT_CALL_LIMIT
        self._is_fixed = origination.call_timeout is not None
        self._clock = clock
        self.ends_at = clock() + origination.ring_timeout + self.seconds

    def answered(self) -> None:
        self.set(self.seconds)

    def transfer_begins(self, transfer: TransferOrder) -> None:
        if not self._is_fixed:
            self.set(transfer.ring_seconds + transfer.max_seconds + DEFAULT_CALL_LIMIT)

    def transfer_over(self) -> None:
        if not self._is_fixed:
            self.set(DEFAULT_CALL_LIMIT)

    def set(self, seconds_left: float) -> None:
        self.ends_at = self._clock() + seconds_left

    @property
    def whole_seconds_left(self) -> int:
        """What is left, as Asterisk takes it: at least 1, since 0 would be no limit."""
        return max(1, round(self.ends_at - self._clock()))

    @property
    def is_reached(self) -> bool:
        return self._clock() >= self.ends_at - _ROUNDED_SECONDS
