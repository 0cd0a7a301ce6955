"""Interpreter: carries out a script on one call. Events in, commands out; no I/O, no clock; never raises."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from bridge.scripts import limits
from bridge.scripts.commands import KEYS, CancelTimer, Command, HangUp, KeysEntered, SetTimer
from bridge.scripts.engine.awaited import Awaited, Reply, Waiting
from bridge.scripts.engine.keys import Entry, masked
from bridge.scripts.engine.run import Run
from bridge.scripts.events import Event, HungUp, Key, Machine, Timer
from bridge.scripts.script import Script


class Stage(Enum):
    """How far a call is."""

    NOT_BEGUN = auto()
    """Events may come, and nothing is done yet."""
    RUNNING = auto()
    OVER = auto()


class Interpreter:
    """One script on one call.

    ``variables`` are what is known before the call: ``to``, ``from`` and the parameters. ``now`` is in seconds on any
    clock that only goes forward, the same for all calls of one interpreter.
    """

    def __init__(self, script: Script, variables: Mapping[str, object]) -> None:
        self._script = script
        self._run = Run(script.steps, script.targets, variables)
        self._stage = Stage.NOT_BEGUN
        self._step: Waiting | None = None
        self._awaited: Awaited | None = None
        self._unanswered: list[Command] = []
        self._timer: SetTimer | None = None

    def start(self, now: float) -> list[Command]:
        """The channel takes commands: the first ones. Keys and the detector's result may have come before."""
        if self._stage is Stage.NOT_BEGUN:
            self._stage = Stage.RUNNING
        self._go_on(now)
        return self._run.take_commands()

    def handle(self, event: Event, now: float) -> list[Command]:
        """Something happened: the commands that follow. What does not fit is ignored; after HangUp or HungUp all is."""
        if self._stage is not Stage.OVER:
            self._run.now = now
            self._take(event)
        self._go_on(now)
        return self._run.take_commands()

    def outstanding(self) -> list[Command]:
        """The commands that are not over: the one that the call waits for, its stop if one was given, the timer."""
        return self._unanswered + ([] if self._timer is None else [self._timer])

    def _take(self, event: Event) -> None:
        match event:
            case HungUp():
                self._report_keys_left()
                self._stage = Stage.OVER
            case Key(digit) if len(digit) == 1 and digit in KEYS:
                self._press(event)
            case Timer(name) if self._timer is not None and self._timer.name == name:
                self._time_is_up(event, self._timer.at)
            case Machine(answered_by):  # perhaps before the script asks
                self._run.assign("answeredBy", answered_by)
        if isinstance(self._awaited, Reply) and self._awaited.is_given_by(event):
            self._end_wait(event)

    def _go_on(self, now: float) -> None:
        self._run.now = now
        while self._stage is Stage.RUNNING and self._awaited is None:
            step = self._run.take_step()
            if step is None:
                self._end()
            elif (waiting := step.perform(self._run)) is not None:
                self._resume(waiting, None)

    def _end(self) -> None:
        self._report_keys_left()
        self._unanswered = [HangUp()]
        self._run.emit(*self._unanswered)
        self._stage = Stage.OVER

    def _report_keys_left(self) -> None:
        entered = self._awaited.keys if isinstance(self._awaited, Entry) else ""
        keys = entered + self._run.keys.take_all()
        if keys:
            self._run.emit(KeysEntered(masked(keys) if self._script.hides_keys else keys))

    # --- waiting

    def _resume(self, step: Waiting, event: Event | None) -> None:
        """Let the step go on until it waits for something, or is done."""
        try:
            self._step, self._awaited = step, step.send(event)
        except StopIteration:
            self._awaited = None
            return
        match self._awaited:
            case Reply(command, timer=timer):
                self._unanswered = [command]
                self._run.emit(command)
                self._set_timer(timer)
            case Entry():
                self._enter(self._awaited, None)

    def _end_wait(self, event: Event | None) -> None:
        assert self._step is not None
        self._awaited = None
        self._unanswered = []
        if self._timer is not None:
            self._run.emit(CancelTimer(self._timer.name))
            self._timer = None
        self._resume(self._step, event)

    def _set_timer(self, timer: SetTimer | None) -> None:
        if timer is not None and timer != self._timer:
            self._timer = timer
            self._run.emit(timer)

    def _time_is_up(self, event: Timer, at: float) -> None:
        if self._run.now < at - limits.CLOCK_SLACK:
            return  # an older timer of this name, on its way while it was replaced
        self._timer = None
        if isinstance(self._awaited, Entry):
            self._run.now = max(self._run.now, at)
            self._enter(self._awaited, event)
        else:
            self._end_wait(event)

    # --- keys

    def _press(self, key: Key) -> None:
        awaited, keys = self._awaited, self._run.keys
        if isinstance(awaited, Reply):
            means_something = key.digit in awaited.ignored_keys or keys.press(key.digit, self._run.now)
            if means_something and key.digit in awaited.stop_keys:
                self._stop(awaited)
            return
        keys.press(key.digit, self._run.now)
        if awaited is not None:
            self._enter(awaited, key)

    def _enter(self, entry: Entry, event: Event | None) -> None:
        if entry.take_from(self._run.keys, self._run.now):
            self._end_wait(event)
        else:
            self._set_timer(SetTimer("keys", entry.deadline))

    def _stop(self, reply: Reply) -> None:
        if reply.stop is not None and reply.stop not in self._unanswered:
            self._unanswered.append(reply.stop)
            self._run.emit(reply.stop)
