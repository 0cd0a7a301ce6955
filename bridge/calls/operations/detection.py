"""Who answered is found out, and when the greeting of a machine is over.

What the channel tells of either is told to the script whatever that waits for by then: see the session.
"""

from __future__ import annotations

from bridge.calls.operations.operation import Operation
from bridge.scripts.verbs.machine_detection import AwaitGreetingEnd, DetectMachine


class Detection(Operation[DetectMachine]):
    """Has the detector listen."""

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
