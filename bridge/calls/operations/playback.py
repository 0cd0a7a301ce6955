"""Playing a prompt, once or more often."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto

from bridge.calls.leg import LiveLeg
from bridge.calls.operations.operation import Operation
from bridge.scripts import commands, events
from bridge.speech.phrase import Prompt
from bridge.telephony.events import CallEvent, PlaybackEnded


class PlaybackState(Enum):
    """Where a playback stands."""

    MAKING = auto()
    """Its prompt was not known before the call, and is being made."""
    PLAYING = auto()
    OVER = auto()


class Playback(Operation[commands.Play]):
    """Plays the prompt of a ``Play`` as often as it says."""

    def __init__(self, leg: LiveLeg, command: commands.Play) -> None:
        super().__init__(leg, command)
        self._state = PlaybackState.MAKING
        self._prompt: Prompt | None = None

    async def begin(self) -> None:
        self._leg.progress.loops_left = self._command.loops
        prompt = self._leg.prompts.made(self._command.prompt)
        if prompt is None:
            self._leg.meanwhile(self._leg.prompts.make(self._command.prompt), self._go_on)
        else:
            await self._go_on(prompt)

    async def resume(self) -> None:
        progress, prompts, wanted = self._leg.progress, self._leg.prompts, self._command.prompt
        if progress.loops_left == self._command.loops:
            await self.begin()
            return
        self._state = PlaybackState.PLAYING
        self._prompt = prompts.made(wanted) or await prompts.make(wanted)
        if progress.loops_left is None:
            progress.loops_left = self._command.loops - 1
            if self._prompt is not None:
                progress.detail.note_spoken(self._prompt, progress.began_at)
        await self._leg.channel.adopt_playing()

    async def stop(self) -> None:
        self._leg.progress.loops_left = 0
        if self._state is PlaybackState.PLAYING:
            await self._leg.channel.stop(by_key=True)
        else:
            self._fail()

    async def take(self, event: CallEvent) -> events.Event | None:
        if not isinstance(event, PlaybackEnded) or self._state is not PlaybackState.PLAYING:
            return None
        if event.complete and self._prompt and self._leg.progress.loops_left:
            await self._play(self._prompt)
            return None
        self._state = PlaybackState.OVER
        return events.Played(self._command.id, event.complete)

    async def _go_on(self, prompt: Prompt | None) -> None:
        if self._state is PlaybackState.OVER:  # it was stopped meanwhile
            return
        if prompt is None:
            self._fail()
            return
        self._state, self._prompt = PlaybackState.PLAYING, prompt
        await self._play(prompt)

    def _fail(self) -> None:
        if self._state is not PlaybackState.OVER:
            self._state = PlaybackState.OVER
            self._leg.post(events.Played(self._command.id, complete=False))

    async def _play(self, prompt: Prompt) -> None:
        assert self._leg.progress.loops_left is not None
        self._leg.progress.loops_left -= 1
        await self._leg.channel.play(
            str(prompt.stem),
            stop_keys=self._command.stop_keys,
            seconds=prompt.seconds,
            begun=lambda: self._leg.progress.detail.note_spoken(prompt, datetime.now(UTC)),
        )
