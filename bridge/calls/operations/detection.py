"""Detecting who answered, and waiting for the end of a machine's greeting.

The session tells the script what the channel reports of either, whatever operation is under way by then.
"""

from __future__ import annotations

from bridge.calls.operations.operation import Operation
from bridge.scripts.verbs.machine_detection import AwaitGreetingEnd, DetectMachine


class Detection(Operation[DetectMachine]):
    """Has the detector listen to the callee."""

    async def begin(self) -> None:
        await self._leg.channel.detect_machine()

    async def resume(self) -> None:
        await self._leg.channel.adopt_detection()


class GreetingWait(Operation[AwaitGreetingEnd]):
    """Waits until a machine has been silent for a while."""

    async def begin(self) -> None:
        await self._leg.channel.await_greeting_end()

    async def resume(self) -> None:
        await self._leg.channel.adopt_greeting_end()
