"""Carries out a script on one call: events in, commands out. No I/O, no clock of its own; never raises."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.scripts import limits
from bridge.scripts.commands import (
    KEYS,
    AwaitGreetingEnd,
    CancelTimer,
    Collected,
    Command,
    DetectMachine,
    HangUp,
    Input,
    LimitReached,
    Play,
    SetTimer,
    Stop,
    StopRecord,
)
from bridge.scripts.engine import wording
from bridge.scripts.engine.flow import Flow, LineStep
from bridge.scripts.engine.keys import END, Entry, KeyBuffer
from bridge.scripts.engine.waiting import (
    Detecting,
    Dialling,
    Entering,
    Greeting,
    Playing,
    Recording,
    Requesting,
    Waiting,
)
from bridge.scripts.events import (
    Event,
    GreetingEnded,
    HungUp,
    Key,
    Machine,
    Played,
    Recorded,
    Responded,
    Timer,
    TransferEnded,
)
from bridge.scripts.language.expressions import NAME
from bridge.scripts.script import Script
from bridge.scripts.steps import (
    AwaitGreetingStep,
    CollectStep,
    DetectStep,
    DialStep,
    HangUpStep,
    ListenStep,
    PlayStep,
    RecordStep,
    RequestStep,
)


class Interpreter:
    """One script on one call.

    ``variables`` are what is known before the call: ``to``, ``from`` and the parameters. ``now`` is in seconds on any
    clock that only goes forward, the same for all calls of one interpreter.
    """

    def __init__(self, script: Script, variables: Mapping[str, object]) -> None:
        self._script = script
        self._flow = Flow(script, variables)
        self._keys = KeyBuffer()
        self._waiting: Waiting | None = None
        self._unanswered: list[Command] = []
        self._timer: SetTimer | None = None
        self._commands: list[Command] = []
        self._has_begun = False
        self._is_over = False
        self._last_id = 0
        self._rounds = 0
        self._requests = 0
        self._repeats = 0

    def start(self, now: float) -> list[Command]:
        """The channel is ours: what to do first. Keys and the detector's result may have come before."""
        self._has_begun = True
        self._run(now)
        return self._taken_commands()

    def handle(self, event: Event, now: float) -> list[Command]:
        """Something happened: what to do now. What does not fit is passed over; after HangUp or HungUp all is."""
        if not self._is_over:
            self._take(event, now)
        if self._has_begun:
            self._run(now)
        return self._taken_commands()

    def outstanding(self) -> list[Command]:
        """What was commanded and is not over: what the call waits for, the stop it was told, and the timer."""
        return self._unanswered + ([] if self._timer is None else [self._timer])

    def _taken_commands(self) -> list[Command]:
        commands, self._commands = self._commands, []
        return commands

    def _take(self, event: Event, now: float) -> None:
        match event:
            case HungUp():
                self._report_keys_left()
                self._is_over = True
            case Key(digit) if len(digit) == 1 and digit in KEYS:
                self._press(digit, now)
            case Timer(name) if self._timer is not None and self._timer.name == name:
                self._time_is_up(self._timer.at, now)
            case Machine(answered_by):
                self._flow.assign("answeredBy", answered_by)
                if isinstance(self._waiting, Detecting):
                    self._stop_waiting()
            case _:
                self._end_waiting_for(event)

    def _end_waiting_for(self, event: Event) -> None:
        match event, self._waiting:
            case GreetingEnded(), Greeting():
                self._stop_waiting()
            case Played(id=ended), Playing(id=running) if ended == running:
                self._stop_waiting()
            case Recorded(id=ended, seconds=seconds), Recording(id=running) if ended == running:
                self._flow.assign("recordDuration", seconds)
                self._stop_waiting()
            case TransferEnded(id=ended), Dialling(id=running) if ended == running:
                self._transfer_ended(event, self._waiting)
            case Responded(id=answered), Requesting(id=asked) if answered == asked:
                self._read_response(event)
                self._stop_waiting()

    def _run(self, now: float) -> None:
        while self._waiting is None and not self._is_over:
            step = self._flow.next_line_step()
            if step is None or isinstance(step, HangUpStep):
                self._end()
            else:
                self._begin(step, now)

    def _begin(self, step: LineStep, now: float) -> None:
        match step:
            case PlayStep():
                self._play(step)
            case ListenStep():
                self._listen(step, now)
            case CollectStep():
                entry = Entry((), step.max_keys, step.timeout, step.timeout, now)
                self._enter(Entering(entry, step), now)
            case RecordStep():
                self._record(step)
            case DialStep():
                self._dial(step, wording.turns(step, self._flow.variables))
            case RequestStep():
                self._request(step, now)
            case DetectStep() if "answeredBy" not in self._flow.variables:
                self._wait(Detecting(), DetectMachine(), SetTimer("detector", now + limits.DETECTOR_WAIT))
            case AwaitGreetingStep():
                self._wait(Greeting(), AwaitGreetingEnd(), SetTimer("greeting", now + limits.GREETING_WAIT))

    def _end(self) -> None:
        if self._flow.is_exhausted:
            self._commands.append(LimitReached("steps"))
        self._report_keys_left()
        self._wait(None, HangUp())
        self._is_over = True

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # --- waiting

    def _wait(self, waiting: Waiting | None, command: Command | None = None, timer: SetTimer | None = None) -> None:
        self._waiting = waiting
        self._unanswered = [] if command is None else [command]
        self._commands += self._unanswered
        if timer is not None and timer != self._timer:
            self._timer = timer
            self._commands.append(timer)

    def _stop_waiting(self) -> None:
        self._waiting = None
        self._unanswered = []
        if self._timer is not None:
            self._commands.append(CancelTimer(self._timer.name))
            self._timer = None

    def _time_is_up(self, at: float, now: float) -> None:
        if now < at - limits.CLOCK_SLACK:
            return  # an older timer of this name, on its way while it was replaced
        self._timer = None
        match self._waiting:
            case Entering():
                self._enter(self._waiting, max(now, at))
            case Detecting():
                self._flow.assign("answeredBy", "unknown")
                self._stop_waiting()
            case Requesting():
                self._flow.assign("requestStatus", 0)
                self._stop_waiting()
            case _:
                self._stop_waiting()

    # --- playing

    def _play(self, step: PlayStep) -> None:
        prompt = wording.prompt(step.source, self._flow.variables)
        stops_for_keys = self._flow.leads_to_listening()
        if prompt is None or (stops_for_keys and self._keys):
            return
        command = Play(self._new_id(), prompt, step.loops, KEYS if stops_for_keys else "")
        self._wait(Playing(command.id, stops_for_keys), command)

    # --- keys

    def _press(self, digit: str, now: float) -> None:
        waiting = self._waiting
        if isinstance(waiting, Dialling):
            return  # it is meant for the one at the other end
        if isinstance(waiting, Recording) and digit in waiting.stop_keys:
            self._stop(waiting, StopRecord(waiting.id))
            return
        is_new = self._keys.press(digit, now)
        if isinstance(waiting, Entering):
            self._enter(waiting, now)
        elif isinstance(waiting, Playing) and waiting.stops_for_keys and is_new:
            self._stop(waiting, Stop(waiting.id))

    def _stop(self, waiting: Playing | Recording, command: Stop | StopRecord) -> None:
        if not waiting.is_stopping:
            waiting.is_stopping = True
            self._unanswered.append(command)
            self._commands.append(command)

    def _listen(self, step: ListenStep, now: float) -> None:
        if self._rounds == limits.MAX_ROUNDS:
            self._commands.append(LimitReached("rounds"))
            self._end()
            return
        self._enter(Entering(Entry(step.codes, step.max_keys, step.timeout, limits.KEY_GAP, now), step), now)

    def _enter(self, entering: Entering, now: float) -> None:
        keys = entering.entry.take_from(self._keys, now)
        if keys is None:
            self._wait(entering, timer=SetTimer("keys", entering.entry.deadline))
            return
        self._stop_waiting()
        if isinstance(entering.step, ListenStep):
            self._choose(entering.step, keys)
        else:
            self._collect(entering.step, keys.removesuffix(END))

    def _choose(self, step: ListenStep, keys: str) -> None:
        choices = (step.codes.get(keys), step.any_keys) if keys else (step.no_keys,)
        for choice in choices:
            if choice is None or (choice.times is not None and self._repeats >= choice.times):
                continue
            self._rounds += 1
            self._repeats += choice.times is not None
            self._commands.append(Input(keys, choice.action, choice.groups))
            self._flow.jump(choice.to)
            return
        if keys:
            self._commands.append(Input(keys))
            self._flow.step_back()

    def _collect(self, step: CollectStep, keys: str) -> None:
        meaning = step.meanings.get(keys)
        self._flow.assign(step.variable, keys)
        self._flow.assign(f"{step.variable}_Meaning", meaning)
        if step.reports == "NEVER":
            return
        if step.reports == "MASKED":
            keys, meaning = wording.masked(keys), None
        if keys:
            self._commands.append(Input(keys, step.action))
        self._commands.append(Collected(step.variable, keys, meaning))

    def _report_keys_left(self) -> None:
        entered = self._waiting.entry.keys if isinstance(self._waiting, Entering) else ""
        keys = entered + self._keys.take_all()
        if keys:
            self._commands.append(Input(wording.masked(keys) if self._script.hides_keys else keys))

    # --- recording, dialling, requests

    def _record(self, step: RecordStep) -> None:
        command = wording.recording(self._new_id(), step, self._flow.variables)
        self._wait(Recording(command.id, step.stop_keys), command)

    def _dial(self, step: DialStep, turns: list[tuple[str, ...]]) -> None:
        if not turns:
            self._transferred("failed", 0)
            return
        command = wording.dial(self._new_id(), step, turns[0], self._flow.variables)
        self._wait(Dialling(command.id, step, turns[1:]), command)

    def _transfer_ended(self, event: TransferEnded, dialling: Dialling) -> None:
        self._stop_waiting()
        if event.result != "answered" and dialling.left:
            self._dial(dialling.step, dialling.left)
        else:
            self._transferred(event.result, event.seconds)

    def _transferred(self, result: str, seconds: float) -> None:
        self._flow.assign("dialResult", result)
        self._flow.assign("dialDuration", seconds)

    def _request(self, step: RequestStep, now: float) -> None:
        request = wording.request(self._new_id(), step, self._flow.variables)
        if request is None or self._requests == limits.MAX_REQUESTS:
            self._flow.assign("requestStatus", 0)
            return
        self._requests += 1
        if request.awaited:
            self._wait(Requesting(request.id), request, SetTimer("response", now + limits.RESPONSE_WAIT))
        else:
            self._commands.append(request)

    def _read_response(self, response: Responded) -> None:
        for name, value in response.members.items():
            if NAME.fullmatch(name) and isinstance(value, str | int | float):
                self._flow.assign(name, value)
        self._flow.assign("requestStatus", response.status or 0)
