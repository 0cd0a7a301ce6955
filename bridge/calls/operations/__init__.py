"""Operations: commands of a script that take a while on the channel, one file each."""

from __future__ import annotations

from typing import Any

from bridge.calls.operations.detection import Detection, GreetingWait
from bridge.calls.operations.operation import Operation
from bridge.calls.operations.playback import Playback
from bridge.calls.operations.recording import CalleeRecording
from bridge.calls.operations.transfer import CalleeTransfer
from bridge.scripts import commands
from bridge.scripts.verbs.dial import Dial
from bridge.scripts.verbs.machine_detection import AwaitGreetingEnd, DetectMachine
from bridge.scripts.verbs.record import StartRecord

OPERATIONS: dict[type, type[Operation[Any]]] = {
    commands.Play: Playback,
    StartRecord: CalleeRecording,
    Dial: CalleeTransfer,
    DetectMachine: Detection,
    AwaitGreetingEnd: GreetingWait,
}
"""The operation that carries out each command which takes a while."""

__all__ = ["OPERATIONS", "Operation"]
