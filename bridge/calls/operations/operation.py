"""The base class of operations on a channel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from bridge.calls.leg import LiveLeg
from bridge.scripts import events
from bridge.telephony.events import CallEvent

CommandT = TypeVar("CommandT")


class Operation(ABC, Generic[CommandT]):
    """One thing that a script wants done on the channel, and waits for; the next one begins when it is over."""

    def __init__(self, leg: LiveLeg, command: CommandT) -> None:
        self._leg = leg
        self._command = command

    @abstractmethod
    async def begin(self) -> None: ...

    @abstractmethod
    async def resume(self) -> None:
        """Go on with what another process has begun; what that had not begun yet begins now."""

    async def stop(self) -> None:
        """End it early, as by a key; nothing happens to an operation that cannot be ended so."""

    async def take(self, _event: CallEvent) -> events.Event | None:
        """Take an event of the channel; return the event for the script when the operation is over, else None."""
        return None
