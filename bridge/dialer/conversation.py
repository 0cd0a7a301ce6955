"""One call under its script: the channel's events go into the interpreter, its commands come out to the channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.asterisk import Answered, Call, CallEvent, Ended, Key, Played, Ready, Ringing
from bridge.messages.attempt import Input, Spoken
from bridge.messages.progress import State
from bridge.scripts import Interpreter, commands, events
from bridge.speech import Prompt


@dataclass(slots=True)
class Course:
    """What happened on a call, as far as it has come. Times are UTC."""

    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    spoken: list[Spoken] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)


class Conversation:
    """Runs one call from Originate to its end.

    ``prompts`` has the files of everything the script may play. ``on_state`` is told how far the call has come.
    """

    def __init__(
        self,
        call: Call,
        interpreter: Interpreter,
        prompts: Mapping[commands.Prompt, Prompt],
        on_state: Callable[[State], None],
    ) -> None:
        self.course = Course()
        self._call = call
        self._interpreter = interpreter
        self._prompts = prompts
        self._on_state = on_state
        self._inbox: asyncio.Queue[CallEvent | events.Timer] = asyncio.Queue()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._playing = 0

    async def run(self) -> Ended:
        """Follow the call to its end."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                event = await self._inbox.get()
                await self._perform(self._hear(event))
                if isinstance(event, Ended):
                    return event
        finally:
            listening.cancel()
            for timer in self._timers.values():
                timer.cancel()

    async def _listen(self) -> None:
        async for event in self._call.events():
            self._inbox.put_nowait(event)

    def _hear(self, event: CallEvent | events.Timer) -> list[commands.Command]:
        now = time.monotonic()
        match event:
            case Ringing(at):
                self.course.ringing_at = at
                self._on_state(State.RINGING)
                return []
            case Answered(at):
                self.course.answered_at = at
                self._on_state(State.IN_PROGRESS)
                return []
            case Ready():
                return self._interpreter.start(now)
            case _:
                return self._interpreter.handle(self._in_terms_of_the_script(event), now)

    def _in_terms_of_the_script(self, event: Key | Played | Ended | events.Timer) -> events.Event:
        match event:
            case Key(digit=digit):
                return events.Key(digit)
            case Played(complete=complete):
                return events.Played(self._playing, complete)
            case Ended():
                return events.HungUp()
            case events.Timer():
                return event

    async def _perform(self, wanted: list[commands.Command]) -> None:
        for command in wanted:
            match command:
                case commands.Play():
                    await self._play(command)
                case commands.Stop():
                    await self._call.stop()
                case commands.SetTimer(name, at):
                    self._set_timer(name, at)
                case commands.CancelTimer(name):
                    self._cancel_timer(name)
                case commands.HangUp():
                    await self._call.hang_up()
                case commands.Input(keys, action, groups):
                    self.course.inputs.append(Input(datetime.now(UTC), keys, action, list(groups)))

    async def _play(self, play: commands.Play) -> None:
        self._playing = play.id
        prompt = self._prompts[play.prompt]
        self.course.spoken.append(Spoken(prompt.engine, prompt.voice, prompt.seconds, prompt.cached))
        await self._call.play(str(prompt.stem), stop_keys=play.stop_keys)

    def _set_timer(self, name: str, at: float) -> None:
        self._cancel_timer(name)
        loop = asyncio.get_running_loop()
        delay = max(0.0, at - time.monotonic())
        self._timers[name] = loop.call_later(delay, self._inbox.put_nowait, events.Timer(name))

    def _cancel_timer(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
