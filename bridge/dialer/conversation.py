"""One call under its script: the channel's events go into the interpreter, its commands come out to the channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from bridge.asterisk import (
    Answered,
    Call,
    CallEvent,
    Detected,
    Ended,
    GreetingOver,
    Key,
    Played,
    Ready,
    Recorded,
    Ringing,
    TransferAnswered,
    TransferOver,
)
from bridge.dialer.course import Course
from bridge.dialer.performing import Continuation, Performance
from bridge.dialer.prompts import Prompts
from bridge.dialer.recordings import CallRecordings
from bridge.messages.progress import State
from bridge.scripts import Interpreter, commands, events
from bridge.speech import Prompt


class Conversation:
    """Runs one call from Originate to its end.

    ``silence`` is played while the call listens; a script that never does needs none. ``send`` sends a request of the
    script, which the call does not wait for, and gives the answer to its second argument. ``on_state`` is told how far
    the call has come, and when it came there.
    """

    def __init__(
        self,
        call: Call,
        interpreter: Interpreter,
        *,
        prompts: Prompts,
        recordings: CallRecordings,
        silence: Prompt | None,
        send: Callable[[commands.Request, Callable[[events.Event], None]], None],
        on_state: Callable[[State, datetime], None],
    ) -> None:
        self.course = Course()
        self._call = call
        self._interpreter = interpreter
        self._send = send
        self._on_state = on_state
        self._inbox: asyncio.Queue[CallEvent | events.Event | Continuation] = asyncio.Queue()
        self._performance = Performance(
            call, self.course, prompts=prompts, recordings=recordings, post=self._inbox.put_nowait
        )
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._has_begun = False
        if silence is not None:
            call.fill_with(str(silence.stem), silence.seconds)

    async def run(self) -> Ended:
        """Follow the call to its end."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                event = await self._inbox.get()
                await self._take(event)
                if isinstance(event, Ended):
                    return event
        finally:
            listening.cancel()
            self._performance.close()
            for timer in self._timers.values():
                timer.cancel()

    async def _listen(self) -> None:
        async for event in self._call.events():
            self._inbox.put_nowait(event)

    async def _take(self, event: CallEvent | events.Event | Continuation) -> None:
        if callable(event):
            await event()
        elif isinstance(event, Ready):
            self._has_begun = True
            await self._perform(self._interpreter.start(time.monotonic()))
        elif isinstance(event, Ringing | Answered | TransferAnswered):
            self._note(event)
        elif told := await self._in_terms_of_the_script(event):
            await self._perform(self._interpreter.handle(told, time.monotonic()))
        if self._has_begun:
            self._call.send_silence()

    def _note(self, event: Ringing | Answered | TransferAnswered) -> None:
        match event:
            case Ringing(at):
                self.course.ringing_at = at
                self._on_state(State.RINGING, at)
            case Answered(at):
                self.course.answered_at = at
                self._on_state(State.IN_PROGRESS, at)
            case TransferAnswered(at):
                self.course.transfer_answered(at)

    async def _in_terms_of_the_script(
        self, event: Key | Played | Detected | GreetingOver | Recorded | TransferOver | Ended | events.Event
    ) -> events.Event | None:
        told: events.Event | None
        match event:
            case Key(digit=digit):
                told = events.Key(digit)
            case Played(complete=complete):
                told = await self._performance.played(complete=complete)
            case Detected(answered_by=answered_by, reason=reason):
                self.course.answered_by, self.course.answered_by_reason = answered_by, reason
                told = events.Machine(answered_by)
            case GreetingOver():
                told = events.GreetingEnded()
            case Recorded(seconds=seconds):
                told = self._performance.recorded(seconds)
            case TransferOver():
                told = self._performance.transferred(event)
            case Ended(at=at):
                self.course.call_over(at)
                told = events.HungUp()
            case _:
                told = event
        return told

    async def _perform(self, wanted: list[commands.Command]) -> None:
        for command in wanted:
            match command:
                case commands.Input() | commands.Collected() | commands.LimitReached():
                    self.course.note(command)
                case commands.SetTimer(name, at):
                    self._set_timer(name, at)
                case commands.CancelTimer(name):
                    self._cancel_timer(name)
                case commands.Request():
                    self._send(command, self._inbox.put_nowait)
                case commands.HangUp():
                    await self._call.hang_up()
                case _:
                    await self._do(command)

    async def _do(
        self,
        command: commands.Play
        | commands.Stop
        | commands.StartRecord
        | commands.StopRecord
        | commands.Dial
        | commands.DetectMachine
        | commands.AwaitGreetingEnd,
    ) -> None:
        match command:
            case commands.Play():
                await self._performance.play(command)
            case commands.Stop():
                await self._performance.stop_playing()
            case commands.StartRecord():
                self._performance.record(command)
            case commands.StopRecord():
                self._performance.stop_recording()
            case commands.Dial():
                await self._performance.dial(command)
            case commands.DetectMachine():
                await self._call.detect_machine()
            case commands.AwaitGreetingEnd():
                await self._call.await_greeting_end()

    def _set_timer(self, name: str, at: float) -> None:
        self._cancel_timer(name)
        loop = asyncio.get_running_loop()
        delay = max(0.0, at - time.monotonic())
        self._timers[name] = loop.call_later(delay, self._inbox.put_nowait, events.Timer(name))

    def _cancel_timer(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
