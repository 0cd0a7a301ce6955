"""A telephone line without a line: answers commands as a switch would, on a clock of its own."""

from __future__ import annotations

from typing import TypeVar

import pytest

from bridge.scripts import Interpreter, Script
from bridge.scripts.commands import (
    CancelTimer,
    Command,
    HangUp,
    KeysEntered,
    Play,
    Say,
    SetTimer,
    Stop,
    VariableCollected,
)
from bridge.scripts.events import Event, HungUp, Key, Played, Timer
from bridge.scripts.verbs.record import Recorded, StopRecord

C = TypeVar("C")


class Line:
    """One call. Prompts go on until ``finish_prompt``; what is stopped ends at once; timers fire while time passes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.commands: list[Command] = []
        self.timers: dict[str, float] = {}
        self._playing: Play | None = None

    def answer(self, script: Script, **variables: object) -> Line:
        """The callee picks up."""
        self._interpreter = Interpreter(script, variables)
        self._obey(self._interpreter.start(self.now))
        return self

    def press(self, keys: str, every: float = 0.1) -> None:
        """Presses keys one after the other."""
        for key in keys:
            self.wait(every)
            self.happen(Key(key))

    def finish_prompt(self) -> None:
        """The prompt that plays comes to its end, a second later."""
        assert self._playing is not None, "nothing is playing"
        self.wait(1.0)
        ended, self._playing = self._playing, None
        self.happen(Played(ended.id))

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        until = self.now + seconds
        while due := [(at, name) for name, at in self.timers.items() if at <= until]:
            self.now, name = min(due)
            del self.timers[name]
            self.happen(Timer(name))
        self.now = until

    def happen(self, event: Event) -> None:
        """Anything else."""
        self._obey(self._interpreter.handle(event, self.now))

    def hang_up(self) -> None:
        """The callee hangs up."""
        self.happen(HungUp())

    def every(self, kind: type[C]) -> list[C]:
        """All commands of one kind so far."""
        return [command for command in self.commands if isinstance(command, kind)]

    @property
    def said(self) -> list[str]:
        """Every text that began to be spoken."""
        return [play.prompt.text for play in self.every(Play) if isinstance(play.prompt, Say)]

    @property
    def inputs(self) -> list[tuple[str, str | None, tuple[str, ...]]]:
        """Every input as (keys, action, groups)."""
        return [(entered.keys, entered.action, entered.groups) for entered in self.every(KeysEntered)]

    @property
    def collected(self) -> dict[str, str]:
        """The variables for the report."""
        return {entry.variable: entry.keys for entry in self.every(VariableCollected)}

    @property
    def is_playing(self) -> bool:
        return self._playing is not None

    @property
    def was_ended_by_us(self) -> bool:
        return HangUp() in self.commands

    def _obey(self, commands: list[Command]) -> None:
        self.commands += commands
        for command in commands:
            match command:
                case Play():
                    self._playing = command
                case SetTimer(name, at):
                    self.timers[name] = at
                case CancelTimer(name):
                    del self.timers[name]
                case Stop(stopped):
                    self._playing = None
                    self.happen(Played(stopped, complete=False))
                case StopRecord(stopped):
                    self.happen(Recorded(stopped, seconds=1.5))


@pytest.fixture
def line() -> Line:
    """A line on which nobody has answered yet."""
    return Line()
