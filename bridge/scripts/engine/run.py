"""Run of a script on one call, as its steps see it: its place, its variables and keys, the commands that it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bridge.scripts import limits
from bridge.scripts.commands import Command, LimitReached
from bridge.scripts.engine.awaited import Waiting
from bridge.scripts.engine.keys import KeyBuffer
from bridge.scripts.language.expressions import Value, as_value

Label = int
"""An index into ``Script.targets``, which holds the index of a step."""

EVERY_VARIABLE = frozenset({"*"})

_LOOK_AHEAD = 50


class Step(ABC):
    """One step of a script, and all that must be known of it. Immutable: what changes on a call stands in its Run."""

    __slots__ = ()

    takes_keys: ClassVar[bool] = False
    """Whether it listens for keys."""
    ends_or_jumps: ClassVar[bool] = False
    """Whether it ends the call, or jumps because its author wrote so."""
    leaves_no_silence: ClassVar[bool] = False
    """Whether the callee always hears something while it goes on."""

    @property
    def hides_keys(self) -> bool:
        """Whether keys must not be shown as they were pressed."""
        return False

    @property
    def assigns(self) -> frozenset[str]:
        """The variables that it may set; EVERY_VARIABLE when others decide which."""
        return frozenset()

    @abstractmethod
    def perform(self, run: Run) -> Waiting | None:
        """Do it; None when it takes no time."""

    def look_ahead(self, _place: Place) -> bool:
        """Move on as the script would, without doing anything; False when only the call itself can tell where."""
        return False


class Move(Step):
    """A step that does nothing but move."""

    __slots__ = ()

    @abstractmethod
    def move(self, place: Place) -> None:
        """Go where the script goes on."""

    def perform(self, run: Run) -> None:
        """Move."""
        self.move(run)

    def look_ahead(self, place: Place) -> bool:
        """Move."""
        self.move(place)
        return True


@dataclass(frozen=True, slots=True)
class Jump(Move):
    """Goes on at ``to``."""

    to: Label

    def move(self, place: Place) -> None:
        place.jump(self.to)


class Place:
    """A place in a script: the index of the next step, and of the one after the action group that is performed."""

    def __init__(
        self, targets: Sequence[int], variables: dict[str, Value], next_step: int = 0, return_to: int = 0
    ) -> None:
        self.variables = variables
        self.next_step = next_step
        self._targets = targets
        self._return_to = return_to

    def jump(self, label: Label) -> None:
        """Go on at the label."""
        self.next_step = self._targets[label]

    def enter_group(self, label: Label) -> None:
        """Go on with the action group at the label."""
        self._return_to = self.next_step
        self.jump(label)

    def leave_group(self) -> None:
        """Go on behind the step that performed the group."""
        self.next_step = self._return_to

    def copy(self) -> Place:
        """A second place, which moves on its own and leaves this one where it is."""
        return Place(self._targets, self.variables, self.next_step, self._return_to)


class Run(Place):
    """The state of one call, which its steps read and change.

    ``now`` is the time, in seconds, that the interpreter was given; ``at`` is the index of the step that is performed.
    ``counts`` says how often something happened on the call, ``items`` what a loop has not come to yet; a step keeps
    its own under ``at``.
    """

    def __init__(self, steps: Sequence[Step], targets: Sequence[int], variables: Mapping[str, object]) -> None:
        super().__init__(targets, {name: as_value(value) for name, value in variables.items()})
        self.keys = KeyBuffer()
        self.now = 0.0
        self.at = 0
        self.counts: Counter[Hashable] = Counter()
        self.items: dict[int, deque[str]] = {}
        self._steps = steps
        self._steps_run = 0
        self._last_id = 0
        self._commands: list[Command] = []

    def take_step(self) -> Step | None:
        """The step to perform now; None at the end, or when the script ran too long."""
        if self.next_step >= len(self._steps):
            return None
        self._steps_run += 1
        if self._steps_run > limits.MAX_STEPS_RUN:
            self.emit(LimitReached("steps"))
            return None
        self.at = self.next_step
        self.next_step += 1
        return self._steps[self.at]

    def emit(self, *commands: Command) -> None:
        """Give commands, or facts for the CDR."""
        self._commands += commands

    def take_commands(self) -> list[Command]:
        """What was emitted since the last time."""
        commands, self._commands = self._commands, []
        return commands

    def new_id(self) -> int:
        """The id of a command, from 1."""
        self._last_id += 1
        return self._last_id

    def assign(self, name: str, value: object) -> None:
        """Set a variable; a call has a limited number of them."""
        if name in self.variables or len(self.variables) < limits.MAX_VARIABLES:
            self.variables[name] = as_value(value)

    def repeat_step(self) -> None:
        """Perform this step once more."""
        self.next_step = self.at

    def end(self) -> None:
        """Go to the end of the script, which ends the call."""
        self.next_step = len(self._steps)

    def leads_to_listening(self) -> bool:
        """Whether, but for other prompts, the next thing the script does is to listen for keys."""
        place = self.copy()
        for _ in range(_LOOK_AHEAD):
            if place.next_step >= len(self._steps):
                return False
            step = self._steps[place.next_step]
            place.next_step += 1
            if step.takes_keys:
                return True
            if not step.look_ahead(place):
                return False
        return False
