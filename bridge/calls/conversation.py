"""One call under its script: the channel's events go into the interpreter, its commands come out to the channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.calls.keeping import Keeper
from bridge.calls.performing import Continuation, Performance
from bridge.calls.prompts import Prompts
from bridge.calls.replay import Clock, Past, dump, replay
from bridge.messages.progress import State
from bridge.recordings.of_call import CallRecordings
from bridge.scripts import Interpreter, commands, events
from bridge.speech.phrase import Prompt
from bridge.telephony.events import (
    Answered,
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
from bridge.telephony.exchange import Channel
from bridge.telephony.formats import TrunkFormat

KEPT_WITHIN_SECONDS = 1.0
MOST_TOLD = 2000
"""Events of one call that are kept: a callee who does nothing but press keys must not fill the database."""


class Conversation:
    """Runs one call to its end, from Originate or from where another process left it: that is its ``past``.

    ``silence`` is played while the call listens; a script that never does needs none. ``send`` sends a request of the
    script, which the call does not wait for, and gives the answer to its second argument. ``on_state`` is told how far
    the call has come, and when it came there. ``note`` keeps the past (JSON values) and when the call is over at last.
    """

    def __init__(
        self,
        call: Channel,
        interpreter: Interpreter,
        past: Past,
        *,
        prompts: Prompts,
        recordings: CallRecordings,
        silence: Prompt | None,
        trunk: TrunkFormat,
        send: Callable[[commands.Request, Callable[[events.Event], None]], None],
        on_state: Callable[[State, datetime], None],
        note: Callable[[list[Any], datetime], Awaitable[None]],
    ) -> None:
        self._call = call
        self._interpreter = interpreter
        self._past = past
        self._course = past.course
        self._clock = Clock(past)
        self._send = send
        self._on_state = on_state
        self._note = note
        self._inbox: asyncio.Queue[CallEvent | events.Event | Continuation] = asyncio.Queue()
        self._keeper = Keeper(self._write)
        self._performance = Performance(
            call,
            past,
            prompts=prompts,
            recordings=recordings,
            trunk=trunk,
            post=self._inbox.put_nowait,
            keep=lambda: self._keeper.now(KEPT_WITHIN_SECONDS),
        )
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._is_ending = False
        if silence is not None:
            call.fill_with(str(silence.stem), silence.seconds)

    async def run(self) -> Ended:
        """Follow the call to its end."""
        listening = asyncio.create_task(self._listen())
        try:
            if self._past.script_has_begun:
                await self._go_on()
            while True:
                event = await self._inbox.get()
                await self._take(event)
                if isinstance(event, Ended):
                    return event
        finally:
            listening.cancel()
            self._keeper.close()
            self._performance.close()
            for timer in self._timers.values():
                timer.cancel()

    async def _listen(self) -> None:
        async for event in self._call.events():
            self._inbox.put_nowait(event)

    async def _go_on(self) -> None:
        """Bring the script to where it stood, and take up what was under way then."""
        replay(self._interpreter, self._past.told)
        for command in self._interpreter.outstanding():
            match command:
                case commands.SetTimer() | commands.HangUp():
                    await self._perform([command])
                case _:
                    await self._performance.take_up(command)

    async def _take(self, event: CallEvent | events.Event | Continuation) -> None:
        if callable(event):
            await event()
        elif isinstance(event, Ready):
            await self._begin()
        elif isinstance(event, Ringing | Answered | TransferAnswered):
            self._notice(event)
        elif told := await self._in_terms_of_the_script(event):
            now = self._clock.now()
            self._past.told.append((now, told))
            await self._perform(self._interpreter.handle(told, now))
        if self._past.script_has_begun:
            self._call.send_silence()
        if self._is_worth_keeping(event):
            self._keeper.soon()

    async def _begin(self) -> None:
        if not self._past.script_has_begun:
            now = self._clock.now()
            self._past.told.append((now, None))
            await self._perform(self._interpreter.start(now))

    def _is_worth_keeping(self, event: CallEvent | events.Event | Continuation) -> bool:
        """That the script has begun is known without: the call was answered while somebody followed it."""
        if self._is_ending or isinstance(event, Ringing | Answered | Ready | Ended):
            return False
        return self._past.script_has_begun and len(self._past.told) < MOST_TOLD

    async def _write(self) -> None:
        left = self._call.ends_at - asyncio.get_running_loop().time()
        await self._note(dump(self._past), datetime.now(UTC) + timedelta(seconds=left))

    def _notice(self, event: Ringing | Answered | TransferAnswered) -> None:
        match event:
            case Ringing(at) if self._course.ringing_at is None:
                self._course.ringing_at = at
                self._on_state(State.RINGING, at)
            case Answered(at) if self._course.answered_at is None:
                self._course.answered_at = at
                self._on_state(State.IN_PROGRESS, at)
            case TransferAnswered(at):
                self._course.transfer_answered(at)

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
                self._course.answered_by, self._course.answered_by_reason = answered_by, reason
                told = events.Machine(answered_by)
            case GreetingOver():
                told = events.GreetingEnded()
            case Recorded(seconds=seconds):
                told = self._performance.recorded(seconds)
            case TransferOver():
                told = self._performance.transferred(event)
            case Ended(at=at):
                self._course.call_over(at)
                told = events.HungUp()
            case _:
                told = event
        return told

    async def _perform(self, wanted: list[commands.Command]) -> None:
        for command in wanted:
            match command:
                case commands.Input() | commands.Collected() | commands.LimitReached():
                    self._course.note(command, datetime.now(UTC))
                case commands.SetTimer(name, at):
                    self._set_timer(name, at)
                case commands.CancelTimer(name):
                    self._cancel_timer(name)
                case commands.Request():
                    self._send(command, self._inbox.put_nowait)
                case commands.HangUp():
                    self._is_ending = True
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
                self._performance.dial(command)
            case commands.DetectMachine():
                await self._call.detect_machine()
            case commands.AwaitGreetingEnd():
                await self._call.await_greeting_end()

    def _set_timer(self, name: str, at: float) -> None:
        self._cancel_timer(name)
        loop = asyncio.get_running_loop()
        delay = max(0.0, at - self._clock.now())
        self._timers[name] = loop.call_later(delay, self._inbox.put_nowait, events.Timer(name))

    def _cancel_timer(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
