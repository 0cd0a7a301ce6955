"""A leg and its script: the interpreter is told what happens on the channel, and its commands are carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.calls.leg import Continuation, LiveLeg
from bridge.calls.operations import OPERATIONS, Operation
from bridge.calls.progress import CallProgress, Clock, dump, replay
from bridge.calls.prompts import Prompts
from bridge.calls.saving import ProgressWriter
from bridge.messages.progress import State
from bridge.recordings.of_call import CallRecordings
from bridge.scripts import Interpreter, commands, events
from bridge.scripts.verbs.machine_detection import GreetingEnded
from bridge.scripts.verbs.record import StopRecord
from bridge.scripts.verbs.request import Request, Responded
from bridge.speech.phrase import Prompt
from bridge.telephony.events import (
    Answered,
    CallEvent,
    Detected,
    Ended,
    GreetingOver,
    KeyPressed,
    Ready,
    Ringing,
    TransferAnswered,
)
from bridge.telephony.exchange import Channel
from bridge.telephony.formats import TrunkFormat

MOST_TOLD = 2000
"""So many events of a call are stored: a callee who does nothing but press keys must not fill the database."""


class CallSession:
    """Runs one leg to its end, from Originate or from where another process left it (``progress``).

    All that happens comes by the channel's own queue, in order. ``silence`` is played while the call listens; a script
    that never does needs none. ``send`` sends a request of the script, without the call waiting for it, and gives the
    answer to its second argument. ``on_state`` is told each state that the call reaches, and when. ``save`` stores the
    progress (JSON values), and by when the call must be over.
    """

    def __init__(
        self,
        channel: Channel,
        interpreter: Interpreter,
        progress: CallProgress,
        *,
        prompts: Prompts,
        recordings: CallRecordings,
        silence: Prompt | None,
        trunk: TrunkFormat,
        send: Callable[[Request, Callable[[events.Event], None]], None],
        on_state: Callable[[State, datetime], None],
        save: Callable[[list[Any], datetime], Awaitable[None]],
    ) -> None:
        self._channel = channel
        self._interpreter = interpreter
        self._progress = progress
        self._detail = progress.detail
        self._clock = Clock(progress)
        self._send = send
        self._on_state = on_state
        self._save = save
        self._writer = ProgressWriter(self._write)
        self._leg = LiveLeg(channel, progress, prompts, recordings, trunk, save=self._writer.now)
        self._operation: Operation[Any] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._is_ending = False
        if silence is not None:
            channel.fill_with(str(silence.stem), silence.seconds)

    async def run(self) -> Ended:
        """Follow the call until it ends."""
        try:
            if self._progress.script_has_begun:
                await self._resume()
            async for event in self._channel.events():
                await self._take(event)
                if isinstance(event, Ended):
                    return event
            raise AssertionError("the last event of a channel is its end")
        finally:
            self._writer.close()
            self._leg.close()
            for timer in self._timers.values():
                timer.cancel()

    async def _resume(self) -> None:
        """Bring the script to where it stood, and take up what was under way then."""
        replay(self._interpreter, self._progress.told)
        await self._perform(self._interpreter.outstanding(), resumes=True)

    async def _take(self, event: CallEvent | events.Event | Continuation) -> None:
        if callable(event):
            await event()
        elif isinstance(event, Ready):
            await self._begin()
        elif isinstance(event, Ringing | Answered | TransferAnswered):
            self._notice(event)
        elif told := await self._in_terms_of_the_script(event):
            now = self._clock.now()
            self._progress.told.append((now, told))
            await self._perform(self._interpreter.handle(told, now))
        if self._progress.script_has_begun:
            self._channel.send_silence()
        if self._is_worth_keeping(event):
            self._writer.soon()

    async def _begin(self) -> None:
        if not self._progress.script_has_begun:
            now = self._clock.now()
            self._progress.told.append((now, None))
            await self._perform(self._interpreter.start(now))

    def _notice(self, event: Ringing | Answered | TransferAnswered) -> None:
        match event:
            case Ringing(at) if self._detail.ringing_at is None:
                self._detail.ringing_at = at
                self._on_state(State.RINGING, at)
            case Answered(at) if self._detail.answered_at is None:
                self._detail.answered_at = at
                self._on_state(State.IN_PROGRESS, at)
            case TransferAnswered(at):
                self._detail.transfer_answered(at)

    async def _in_terms_of_the_script(self, event: CallEvent | events.Event) -> events.Event | None:
        match event:
            case KeyPressed(digit=digit):
                return events.Key(digit)
            case Detected(answered_by=answered_by, reason=reason):
                self._detail.answered_by, self._detail.answered_by_reason = answered_by, reason
                return events.Machine(answered_by)
            case GreetingOver():
                return GreetingEnded()
            case Ended(at=at):
                self._detail.call_over(at)
                return events.HungUp()
            case CallEvent():
                return None if self._operation is None else await self._operation.take(event)
            case _:
                return event

    async def _perform(self, wanted: list[commands.Command], *, resumes: bool = False) -> None:
        """Carry out the script's commands; with ``resumes``, those that another process has begun to carry out."""
        for command in wanted:
            match command:
                case commands.KeysEntered() | commands.VariableCollected() | commands.LimitReached():
                    self._detail.note(command, datetime.now(UTC))
                case commands.SetTimer(name, at):
                    self._set_timer(name, at)
                case commands.CancelTimer(name):
                    self._cancel_timer(name)
                case Request(id=asked) if resumes:
                    self._leg.post(Responded(asked, None))
                case Request():
                    self._send(command, self._leg.post)
                case commands.HangUp():
                    self._is_ending = True
                    await self._channel.hang_up()
                case commands.Stop() | StopRecord():
                    assert self._operation is not None
                    await self._operation.stop()
                case _:
                    self._operation = OPERATIONS[type(command)](self._leg, command)
                    await (self._operation.resume() if resumes else self._operation.begin())

    def _set_timer(self, name: str, at: float) -> None:
        self._cancel_timer(name)
        delay = max(0.0, at - self._clock.now())
        self._timers[name] = asyncio.get_running_loop().call_later(delay, self._leg.post, events.Timer(name))

    def _cancel_timer(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

    def _is_worth_keeping(self, event: CallEvent | events.Event | Continuation) -> bool:
        """Whether to store the progress after an event. The script's start is known without: from the answer."""
        if self._is_ending or isinstance(event, Ringing | Answered | Ready | Ended):
            return False
        return self._progress.script_has_begun and len(self._progress.told) < MOST_TOLD

    async def _write(self) -> None:
        left = self._channel.ends_at - asyncio.get_running_loop().time()
        await self._save(dump(self._progress), datetime.now(UTC) + timedelta(seconds=left))
