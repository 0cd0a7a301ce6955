"""What a script wants done on the channel and takes a while: one file each."""

from __future__ import annotations

from typing import Any

from bridge.calls.operations.detection import Detection, GreetingWait
from bridge.calls.operations.operation import Operation
from bridge.calls.operations.playback import Playback
from bridge.calls.operations.recording import CalleeRecording
from bridge.calls.operations.transfer import CalleeTransfer
from bridge.scripts import commands

OPERATIONS: dict[type, type[Operation[Any]]] = {
    commands.Play: Playback,
    commands.StartRecord: CalleeRecording,
    commands.Dial: CalleeTransfer,
    commands.DetectMachine: Detection,
    commands.AwaitGreetingEnd: GreetingWait,
}
"""What carries out each command that is an operation on the channel."""

__all__ = ["OPERATIONS", "Operation"]
