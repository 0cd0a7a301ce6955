"""What a script wants done on the channel and takes a while: prompts, recordings, transfers, the detector."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from bridge.calls.prompts import Prompts
from bridge.calls.replay import Past
from bridge.recordings.of_call import CallRecordings
from bridge.scripts import commands, events
from bridge.scripts.limits import MAX_TRANSFER
from bridge.speech.phrase import Prompt
from bridge.telephony.events import Transfer, TransferOver
from bridge.telephony.exchange import Channel
from bridge.telephony.formats import TrunkFormat

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")
Continuation = Callable[[], Awaitable[None]]


class Performance:
    """Does one thing at a time on a call, as the script waits for its end.

    What the call must not wait for (the disk, the network, an engine) is done meanwhile; ``post`` is given what follows
    then, to be awaited in its turn, or an event for the script. ``keep`` writes down what the call has come to.
    """

    def __init__(
        self,
        call: Channel,
        past: Past,
        *,
        prompts: Prompts,
        recordings: CallRecordings,
        trunk: TrunkFormat,
        post: Callable[[Continuation | events.Event], None],
        keep: Callable[[], Awaitable[None]],
    ) -> None:
        self._call = call
        self._past = past
        self._course = past.course
        self._prompts = prompts
        self._recordings = recordings
        self._trunk = trunk
        self._post = post
        self._keep = keep
        self._play: commands.Play | None = None
        self._prompt: Prompt | None = None
        self._record: commands.StartRecord | None = None
        self._record_to = Path()
        self._record_stopped = False
        self._record_is_taken_up = False
        self._dial: commands.Dial | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """The call is over."""
        for task in self._tasks:
            task.cancel()

    # What another process began

    async def take_up(self, command: commands.Command) -> None:
        """Go on with what was commanded of another process; what that had not begun yet begins now."""
        match command:
            case commands.Play():
                await self._take_up_play(command)
            case commands.Stop():
                await self.stop_playing()
            case commands.StartRecord():
                await self._take_up_record(command)
            case commands.StopRecord():
                self.stop_recording()
            case commands.Dial():
                await self._take_up_dial(command)
            case commands.DetectMachine():
                await self._call.adopt_detection()
            case commands.AwaitGreetingEnd():
                await self._call.adopt_greeting_end()
            case commands.Request():
                self._post(events.Responded(command.id, None))

    async def _take_up_play(self, play: commands.Play) -> None:
        if self._past.loops_left == play.loops:
            await self.play(play)
            return
        self._play, self._prompt = play, self._prompts.made(play.prompt) or await self._prompts.make(play.prompt)
        if self._past.loops_left is None:
            self._past.loops_left = play.loops - 1
            if self._prompt is not None:
                self._course.note_spoken(self._prompt, self._past.began_at)
        await self._call.adopt_playing()

    async def _take_up_record(self, record: commands.StartRecord) -> None:
        if self._recordings.being_written() is None:
            self.record(record)
            return
        self._record, self._record_stopped, self._record_is_taken_up = record, False, True
        await self._call.adopt_recording()

    async def _take_up_dial(self, dial: commands.Dial) -> None:
        if self._course.dialling is None:
            self.dial(dial)
            return
        self._dial = dial
        await self._call.adopt_transfer(self._course.joined_at)

    # Prompts

    async def play(self, play: commands.Play) -> None:
        """Play it ``loops`` times, once it is made."""
        self._play, self._prompt, self._past.loops_left = play, None, play.loops
        prompt = self._prompts.made(play.prompt)
        if prompt is None:
            self._meanwhile(self._prompts.make(play.prompt), partial(self._play_made, play))
        else:
            await self._play_made(play, prompt)

    async def stop_playing(self) -> None:
        """A key was pressed that ends the playback."""
        self._past.loops_left = 0
        if self._prompt is not None:
            await self._call.stop(by_key=True)
        elif self._play is not None:
            self._post(events.Played(self._play.id, complete=False))
            self._play = None

    async def played(self, *, complete: bool) -> events.Event | None:
        """The channel has played something; the event when that was all."""
        if self._record is not None:  # it was the beep
            return await self._record_now(self._record)
        if self._play is None:
            return None
        if complete and self._prompt and self._past.loops_left:
            await self._play_once(self._play, self._prompt)
            return None
        ended, self._play, self._prompt = self._play, None, None
        return events.Played(ended.id, complete)

    async def _play_made(self, play: commands.Play, prompt: Prompt | None) -> None:
        if play is not self._play:  # it was stopped meanwhile
            return
        if prompt is None:
            self._play = None
            self._post(events.Played(play.id, complete=False))
        else:
            self._prompt = prompt
            await self._play_once(play, prompt)

    async def _play_once(self, play: commands.Play, prompt: Prompt) -> None:
        assert self._past.loops_left is not None
        self._past.loops_left -= 1
        await self._call.play(
            str(prompt.stem),
            stop_keys=play.stop_keys,
            seconds=prompt.seconds,
            begun=lambda: self._course.note_spoken(prompt, datetime.now(UTC)),
        )

    # Recordings

    def record(self, record: commands.StartRecord) -> None:
        """Record the callee, after the beep if there is to be one."""
        self._record, self._record_stopped = record, False
        self._meanwhile(self._opened(record), partial(self._record_opened, record))

    def stop_recording(self) -> None:
        """A key was pressed that ends the recording: one that goes on hears it itself, another does not begin."""
        self._record_stopped = True

    def recorded(self, seconds: float) -> events.Event | None:
        """The channel has recorded so much; of a recording whose end was not heard, only its file says it."""
        if self._record is None:
            return None
        if self._record_is_taken_up or not seconds:
            self._meanwhile(self._recordings.seconds_written(), partial(self._measured, self._record))
            return None
        return self._recorded(self._record, seconds)

    async def _measured(self, record: commands.StartRecord, seconds: float | None) -> None:
        self._post(self._recorded(record, seconds or 0.0))

    def _recorded(self, record: commands.StartRecord, seconds: float) -> events.Event:
        self._recordings.action_ended(seconds)
        self._record, self._record_is_taken_up = None, False
        return events.Recorded(record.id, seconds)

    async def _opened(self, record: commands.StartRecord) -> tuple[Path, Prompt | None] | None:
        path = await self._recordings.open_action(record)
        return None if path is None else (path, await self._prompts.beep() if record.beep else None)

    async def _record_opened(self, record: commands.StartRecord, opened: tuple[Path, Prompt | None] | None) -> None:
        if opened is None:
            self._record = None
            self._post(events.Recorded(record.id, 0.0))
            return
        self._record_to, beep = opened
        if beep is not None and not self._record_stopped:
            await self._call.play(str(beep.stem), stop_keys=record.stop_keys, seconds=beep.seconds)
        elif over := await self._record_now(record):
            self._post(over)

    async def _record_now(self, record: commands.StartRecord) -> events.Event | None:
        if self._record_stopped:
            self._record = None
            return events.Recorded(record.id, 0.0)
        self._recordings.action_began()
        await self._call.record(
            str(self._record_to.with_suffix("")),
            stop_keys=record.stop_keys,
            seconds=record.max_seconds,
            silence=record.max_silence,
        )
        return None

    # Transfers

    def dial(self, dial: commands.Dial) -> None:
        """Join the callee with somebody else. That it begins is kept first: nobody is called twice for it."""
        self._dial = dial
        numbers = [self._trunk.number_sent(number) for number in dial.numbers]
        self._course.transfer_begins(dial, numbers, self._trunk.caller_id_sent(dial.caller_id))
        self._meanwhile(self._made_ready(dial), partial(self._transfer, dial))

    def transferred(self, over: TransferOver) -> events.Event | None:
        """The other side left, or never came."""
        self._course.transfer_over(over)
        return None if self._dial is None else events.TransferEnded(self._dial.id, over.result, over.seconds)

    async def _made_ready(self, dial: commands.Dial) -> Prompt | None:
        await self._keep()
        return None if dial.max_seconds is None or dial.warning_seconds is None else await self._prompts.beep()

    async def _transfer(self, dial: commands.Dial, warning_tone: Prompt | None) -> None:
        await self._call.transfer(
            Transfer(
                numbers=tuple(self._course.sent_numbers),
                ring_seconds=dial.ring_seconds,
                max_seconds=dial.max_seconds or MAX_TRANSFER,
                caller_id=self._course.sent_from,
                warning_seconds=dial.warning_seconds,
                warning_tone=str(warning_tone.stem) if warning_tone else None,
            )
        )

    def _meanwhile(self, work: Coroutine[Any, Any, _T], then: Callable[[_T | None], Awaitable[None]]) -> None:
        """Do something that takes time, and go on in turn with its result, None when it failed."""

        async def do() -> None:
            result = None
            try:
                result = await work
            except Exception:  # the call goes on without it
                _log.exception("failed_during_the_call")
            self._post(partial(then, result))

        task = asyncio.create_task(do())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
