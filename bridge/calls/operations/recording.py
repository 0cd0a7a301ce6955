"""Recording the callee, perhaps after a beep."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from bridge.calls.leg import LiveLeg
from bridge.calls.operations.operation import Operation
from bridge.scripts import events
from bridge.scripts.verbs import record
from bridge.speech.phrase import Prompt
from bridge.telephony.events import CallEvent, PlaybackEnded, RecordingEnded


class CaptureState(Enum):
    """Where the recording of a callee stands."""

    OPENING = auto()
    """Its row is being committed, and the beep made."""
    BEEPING = auto()
    RECORDING = auto()
    MEASURING = auto()
    """The channel did not tell its length: its file does."""
    OVER = auto()


class CalleeRecording(Operation[record.StartRecord]):
    """Records what a ``StartRecord`` says."""

    def __init__(self, leg: LiveLeg, command: record.StartRecord) -> None:
        super().__init__(leg, command)
        self._state = CaptureState.OPENING
        self._path = Path()
        self._is_stopped = False
        self._was_begun_elsewhere = False

    async def begin(self) -> None:
        self._leg.meanwhile(self._open(), self._opened)

    async def resume(self) -> None:
        if self._leg.recordings.being_written() is None:
            await self.begin()
            return
        self._state, self._was_begun_elsewhere = CaptureState.RECORDING, True
        await self._leg.channel.adopt_recording()

    async def stop(self) -> None:
        """Let no recording begin; one under way is ended by Asterisk itself when the key is pressed."""
        self._is_stopped = True

    async def take(self, event: CallEvent) -> events.Event | None:
        match event, self._state:
            case PlaybackEnded(), CaptureState.BEEPING:
                return await self._record()
            case RecordingEnded(seconds=seconds), CaptureState.RECORDING:
                if seconds and not self._was_begun_elsewhere:
                    return self._end(seconds)
                self._state = CaptureState.MEASURING
                self._leg.meanwhile(self._leg.recordings.seconds_written(), self._measured)
        return None

    async def _open(self) -> tuple[Path, Prompt | None] | None:
        path = await self._leg.recordings.open_action(self._command)
        return None if path is None else (path, await self._leg.prompts.beep() if self._command.beep else None)

    async def _opened(self, opened: tuple[Path, Prompt | None] | None) -> None:
        if opened is None:
            self._leg.post(self._not_recorded())
            return
        self._path, beep = opened
        if beep is not None and not self._is_stopped:
            self._state = CaptureState.BEEPING
            await self._leg.channel.play(str(beep.stem), stop_keys=self._command.stop_keys, seconds=beep.seconds)
        elif over := await self._record():
            self._leg.post(over)

    async def _record(self) -> events.Event | None:
        if self._is_stopped:
            return self._not_recorded()
        self._state = CaptureState.RECORDING
        self._leg.recordings.action_began()
        await self._leg.channel.record(
            str(self._path.with_suffix("")),
            stop_keys=self._command.stop_keys,
            seconds=self._command.max_seconds,
            silence=self._command.max_silence,
        )
        return None

    async def _measured(self, seconds: float | None) -> None:
        self._leg.post(self._end(seconds or 0.0))

    def _end(self, seconds: float) -> events.Event:
        self._state = CaptureState.OVER
        self._leg.recordings.action_ended(seconds)
        return record.Recorded(self._command.id, seconds)

    def _not_recorded(self) -> events.Event:
        self._state = CaptureState.OVER
        return record.Recorded(self._command.id, 0.0)
